import { createHash } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { DatabaseSettings } from './addresses.ts'
import type { ApiSettings, Settings, StorageSettings } from './config.ts'
import { createAnswers } from './db/answers.ts'
import type { Database } from './db/database.ts'
import { createLedger } from './db/ledger.ts'
import { sharedPace } from './db/pace-row.ts'
import { patient } from './db/patient.ts'
import { beginRun } from './db/runs.ts'
import { requireSchema } from './db/schema.ts'
import { FetchError } from './errors.ts'
import { fetchImage } from './fetch-image.ts'
import { meets } from './filter.ts'
import { createDispatcher } from './http.ts'
import type { ImageRef } from './image-list.ts'
import { createBudget, lookUpPlatesBy, type RunSignals } from './look-up-plates.ts'
import { type Question, sendLookup } from './lookup.ts'
import type { IngestOptions } from './options.ts'
import { createPace } from './pace.ts'
import { type Deps, type Ingested, ingestImage } from './pipeline.ts'
import { previewImage } from './preview.ts'
import { FETCH_POLICY, LOOKUP_POLICY, withRetry } from './retry.ts'
import { createByteaStore } from './storage/bytea-store.ts'
import type { ImageStore } from './storage/image-store.ts'

/** Connections to a server database: more only queue up inside it. */
const MOST_CONNECTIONS = 10

/** Opens the database the settings name. Its schema is not looked at. */
export async function openDatabase(
  settings: DatabaseSettings,
  { concurrency = 1, mayCreate = true }: { concurrency?: number; mayCreate?: boolean } = {},
): Promise<Database> {
  if (settings.kind === 'embedded') {
    const { openEmbeddedDatabase } = await import('./db/embedded.ts')
    return openEmbeddedDatabase(settings.folder, mayCreate)
  }
  const { openServerDatabase } = await import('./db/server.ts')
  return openServerDatabase(settings.url, Math.min(concurrency + 1, MOST_CONNECTIONS))
}

/** Opens the image store. `keepBytes` is how the database keeps an image's bytes, in `db` mode. */
export async function openImageStore(
  settings: StorageSettings,
  keepBytes: (sha256: string, bytes: Uint8Array) => Promise<void>,
): Promise<ImageStore> {
  if (settings.kind === 'db') return createByteaStore(keepBytes)
  const { openS3Store } = await import('./storage/s3-store.ts')
  return openS3Store(settings)
}

/** What is asked, out of the options of a run. */
function questionOf({ regions, cameraId, mmc, engineConfig }: IngestOptions): Question {
  return { regions, cameraId, mmc, engineConfig }
}

/** A run with everything it needs, open. */
export interface Opened {
  database: Database
  /** Undefined in a dry run, which stores nothing. */
  images: ImageStore | undefined
  /** Takes one line of the list through. */
  ingestOne: (ref: ImageRef, signals: RunSignals) => Promise<Ingested>
  close(): Promise<void>
}

/** What a run tells while it is under way. */
export interface RunEvents {
  onAttempt: () => void
  onThrottled: (waitMs: number) => void
}

/**
 * Opens everything that an ingesting run needs, and makes sure of it before anything is spent: the database and its
 * schema, then the bucket.
 */
export async function openIngest(
  settings: Settings,
  options: IngestOptions,
  events: RunEvents,
): Promise<Opened> {
  const closers: (() => Promise<void> | void)[] = []
  const close = async () => {
    for (const closer of closers.reverse()) await closer()
  }
  try {
    const database = await openDatabase(settings.database, { concurrency: options.concurrency })
    closers.push(() => database.close())
    await requireSchema(database)

    const account = accountOf(settings.api)
    const delayMs = options.delay * 1_000
    const run = await beginRun(database, { account, delayMs })
    // A database that has gone away cannot be told; the heartbeat's silence will.
    closers.push(() => run.end().catch(() => {}))

    const ledger = createLedger(patient(database), run, {
      question: questionOf(options),
      force: options.force,
    })
    const images = await openImageStore(settings.storage, ledger.keepBytes)
    closers.push(() => images.close())

    const fetching = createDispatcher(options.fetchTimeout * 1_000)
    const asking = createDispatcher(options.lookupTimeout * 1_000)
    closers.push(
      () => fetching.destroy(),
      () => asking.destroy(),
    )

    const shared = database.isEmbedded
      ? undefined
      : sharedPace(patient(database), account, run.heartbeat.deadAfterMs)
    const lookUpPlates = createLookup(settings.api, options, asking, {
      pace: createPace(delayMs, shared),
      ...events,
    })
    const deps: Deps = {
      fetchImage: createFetch(options, fetching),
      ledger,
      images,
      isGivenUp: (lostAnswers) =>
        options.lostAnswer === 'fail' && !options.force && lostAnswers > 0,
      lookUpPlates,
      keeps: meets(options.confidenceThreshold),
    }
    const ingestOne: Opened['ingestOne'] = (ref, signals) => ingestImage(ref, deps, signals)
    return { database, images, ingestOne, close }
  } catch (thrown) {
    await close()
    throw thrown
  }
}

/** Opens what a dry run needs: nothing that writes, and no key. */
export async function openPreview(settings: Settings, options: IngestOptions): Promise<Opened> {
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireSchema(database)
  } catch (thrown) {
    await database.close()
    throw thrown
  }
  const dispatcher = createDispatcher(options.fetchTimeout * 1_000)
  const answers = createAnswers(database, questionOf(options))
  const isKnown = options.force ? async () => false : answers.isKnown
  const deps = { fetchImage: createFetch(options, dispatcher), isKnown, seen: new Set<string>() }
  return {
    database,
    images: undefined,
    ingestOne: (ref, signals) => previewImage(ref, deps, signals),
    async close() {
      await dispatcher.destroy()
      await database.close()
    },
  }
}

function createFetch(
  { maxImageBytes, fetchTimeout }: IngestOptions,
  dispatcher: Dispatcher,
): Deps['fetchImage'] {
  const access = { maxBytes: maxImageBytes, timeoutMs: fetchTimeout * 1_000, dispatcher }
  return ({ text }, signal) =>
    withRetry(() => fetchImage(text, access, signal), FETCH_POLICY, isTransient, signal)
}

/** May another try at fetching go well? */
export function isTransient(error: Error): boolean {
  return error instanceof FetchError && error.isTransient
}

function createLookup(
  api: ApiSettings,
  options: IngestOptions,
  dispatcher: Dispatcher,
  plan: { pace: ReturnType<typeof createPace> } & RunEvents,
): Deps['lookUpPlates'] {
  const access = { ...api, timeoutMs: options.lookupTimeout * 1_000, dispatcher }
  const question = questionOf(options)
  return lookUpPlatesBy({
    send: (image, signal) => sendLookup(image, question, access, signal),
    budget: createBudget(options.maxLookups),
    policy: { ...LOOKUP_POLICY, retries: options.retries },
    lostAnswer: options.lostAnswer,
    ...plan,
  })
}

/** Which account's rate is spent: a digest of host and key, so that the key stands in no database. */
function accountOf({ url, key }: ApiSettings): string {
  return createHash('sha256')
    .update(`${new URL(url).host}\n${key ?? ''}`)
    .digest('hex')
}
