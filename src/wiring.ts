import { createHash } from 'node:crypto'
import type { DatabaseSettings } from './addresses.ts'
import type { ApiSettings, Settings, StorageSettings } from './config.ts'
import type { Database } from './db/database.ts'
import { noteFailure } from './db/failures.ts'
import { createLedger, type Ledger } from './db/ledger.ts'
import { sharedPace } from './db/pace-row.ts'
import { isAway, patient, sickStatement } from './db/patient.ts'
import { beginRun, heartbeatOf } from './db/runs.ts'
import { requireSchema } from './db/schema.ts'
import { databaseIdOf, readInSpool } from './db/spooled-answers.ts'
import { dieAt, told, withinTransactions, withSteps } from './die-at.ts'
import { DatabaseError, type SpoolError } from './errors.ts'
import { fetchWithRetry } from './fetching.ts'
import { meets } from './filter.ts'
import { createDispatcher } from './http.ts'
import type { ImageRef } from './image-list.ts'
import type { Stopper } from './ingest-all.ts'
import { createBudget, lookUpPlatesBy, type RunSignals } from './look-up-plates.ts'
import { type Question, sendLookup } from './lookup.ts'
import type { IngestOptions } from './options.ts'
import { createOutage, NO_OUTAGE } from './outage.ts'
import { createPace } from './pace.ts'
import { type Deps, type Ingested, ingestImage, isUntouched } from './pipeline.ts'
import { LOOKUP_POLICY, withRetry } from './retry.ts'
import { checkSpool, createSpool, type Spool } from './spool.ts'
import { createByteaStore } from './storage/bytea-store.ts'
import type { ImageStore } from './storage/image-store.ts'
import { isStorageAway, sickObject } from './storage/s3-errors.ts'

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
export function questionOf({ regions, cameraId, mmc, engineConfig }: IngestOptions): Question {
  return { regions, cameraId, mmc, engineConfig }
}

/** A run with everything it needs, open. */
export interface Opened {
  database: Database
  /** Undefined in a dry run, which stores nothing. */
  images: ImageStore | undefined
  /** Answers that could not be written, if it came to that. */
  spool: Spool | undefined
  /** Takes one line of the list through. */
  ingestOne: (ref: ImageRef, signals: RunSignals) => Promise<Ingested>
  /** @param summary what the run did, kept in the database */
  close(summary?: object): Promise<void>
}

/** What a run tells while it is under way. */
export interface RunEvents {
  onAttempt: () => void
  onThrottled: (waitMs: number) => void
  /** Something that people should know, in a sentence or two. */
  onNotice: (text: string) => void
}

/**
 * Opens everything that an ingesting run needs, and makes sure of it before anything is spent: the database and its
 * schema, then the bucket; what earlier runs could not write is read in.
 */
export async function openIngest(
  settings: Settings,
  options: IngestOptions,
  events: RunEvents,
  stopper: Stopper,
): Promise<Opened> {
  const closers: ((summary?: object) => Promise<void> | void)[] = []
  const close = async (summary?: object) => {
    for (const closer of closers.reverse()) await closer(summary)
  }
  try {
    const database = await openDatabase(settings.database, { concurrency: options.concurrency })
    closers.push(() => database.close())
    await requireSchema(database)

    const account = accountOf(settings.api)
    const delayMs = options.delay * 1_000
    const heartbeat = heartbeatOf(options.heartbeat * 1_000)
    const run = await beginRun(database, { account, delayMs, heartbeat })
    // A database that has gone away cannot be told; the heartbeat's silence will.
    closers.push((summary) => run.end(summary).catch(() => {}))

    const waiting = outagesOf(options, events)
    const outage = database.isEmbedded
      ? NO_OUTAGE
      : createOutage({
          ...waiting(database.name, () => void run.beat().catch(() => {})),
          ...{ isAway, sick: sickStatement, signal: stopper.end },
          probe: () => database.query('SELECT 1'),
        })
    const databaseId = await databaseIdOf(database)
    const spool = createSpool(settings.stateFolder, databaseId, run.id)
    const onTrouble = (error: unknown) => {
      if (error instanceof Error) events.onNotice(`${error.message} The answer is still in memory.`)
    }
    await checkSpool(settings.stateFolder).catch((error: SpoolError) => {
      events.onNotice(`${error.message} ${error.hint}`)
    })
    const reached = settings.dieAt === undefined ? undefined : dieAt(settings.dieAt)
    const ledger = createLedger(reached ? withinTransactions(database, reached) : database, run, {
      ...{ question: questionOf(options), force: options.force, outage },
      safety: { spool, threshold: options.confidenceThreshold, onTrouble },
    })

    const images = await openImageStore(settings.storage, ledger.keepBytes)
    closers.push(() => images.close())
    const storageOutage = createOutage({
      ...waiting(images.name),
      ...{ isAway: isStorageAway, sick: sickObject, signal: stopper.stop, probe: images.ping },
    })

    const { answers, aside } = await readInSpool(database, images, {
      folder: settings.stateFolder,
      databaseId,
    })
    if (answers > 0) events.onNotice(readInLine(answers))
    for (const file of aside) events.onNotice(`${file} holds answers that could not be read in.`)

    const fetching = createDispatcher(options.fetchTimeout * 1_000)
    const asking = createDispatcher(options.lookupTimeout * 1_000)
    closers.push(
      () => fetching.destroy(),
      () => asking.destroy(),
    )

    const lasting = patient(database, outage)
    const shared = database.isEmbedded ? undefined : sharedPace(lasting, account)
    const plain: Deps = {
      fetchImage: createFetch(options, fetching),
      ledger,
      images: {
        ...images,
        put: (image, signal) => storageOutage.through(() => images.put(image, signal)),
      },
      isGivenUp: (lostAnswers) => isGivenUp(options, lostAnswers),
      lookUpPlates: lookUpPlatesBy({
        send: createSend(settings.api, options, asking),
        pace: createPace(delayMs, shared),
        asking: reached ? told('asking', ledger.asking, reached) : ledger.asking,
        notAsking: ledger.notAsking,
        budget: createBudget(options.maxLookups),
        policy: { ...LOOKUP_POLICY, retries: options.retries },
        lostAnswer: options.lostAnswer,
        ...events,
      }),
      keeps: meets(options.confidenceThreshold),
    }
    const deps = reached ? withSteps(plain, reached) : plain
    const ingestOne: Opened['ingestOne'] = async (ref, signals) => {
      try {
        return await againWhenTakenOver(() => ingestImage(ref, deps, signals), signals.stop)
      } catch (thrown) {
        // What is wrong with the database, the next image will tell; this one has its own failure to tell.
        if (!isUntouched(thrown, signals.stop)) {
          await noteFailure(lasting, ref.source, thrown).catch(() => {})
        }
        throw thrown
      }
    }
    return { database, images, spool, ingestOne, close }
  } catch (thrown) {
    await close()
    throw thrown
  }
}

/** What people are told of an outage, and how long it may last. */
function outagesOf({ patience }: IngestOptions, { onNotice }: RunEvents) {
  return (name: string, onBack?: () => void) => ({
    patienceMs: patience * 1_000,
    onBegin(error: unknown) {
      const said = error instanceof Error ? error.message : String(error)
      onNotice(`${said} Waiting up to ${patience} s for it (--patience); lookups wait too.`)
    },
    onEnd(ms: number) {
      onNotice(`${name} is back after ${(ms / 1_000).toFixed(1)} s.`)
      onBack?.()
    },
  })
}

function readInLine(answers: number): string {
  const were =
    answers === 1 ? '1 answer that an earlier run had' : `${answers} answers that earlier runs had`
  return `${were} paid for and could not write: written now, and not asked again.`
}

/** How often an image may be taken over by other runs while this process sleeps, and still be tried again. */
const TAKEN_OVER = { retries: 3, firstMs: 0, factor: 1, longestMs: 0 }

/** A machine that slept finds its claims taken over: whatever the other run did with the image is waited for. */
function againWhenTakenOver<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const isTakenOver = (error: Error) =>
    error instanceof DatabaseError && error.code === 'claim_lost'
  return withRetry(work, TAKEN_OVER, isTakenOver, signal)
}

/** Has an image whose answer was lost before to be left alone? */
export function isGivenUp({ lostAnswer, force }: IngestOptions, lostAnswers: number): boolean {
  return lostAnswer === 'fail' && !force && lostAnswers > 0
}

/** Fetching as the options say, with its own connections. */
export function createFetch(
  { maxImageBytes, fetchTimeout }: IngestOptions,
  dispatcher: ReturnType<typeof createDispatcher>,
): Deps['fetchImage'] {
  const access = { maxBytes: maxImageBytes, timeoutMs: fetchTimeout * 1_000, dispatcher }
  return ({ text }, signal) => fetchWithRetry(text, access, signal)
}

function createSend(
  api: ApiSettings,
  options: IngestOptions,
  dispatcher: ReturnType<typeof createDispatcher>,
) {
  const access = { ...api, timeoutMs: options.lookupTimeout * 1_000, dispatcher }
  const question = questionOf(options)
  return (
    image: Parameters<typeof sendLookup>[0] & Parameters<Ledger['asking']>[0],
    end: AbortSignal,
  ) => sendLookup(image, question, access, end)
}

/** Which account's rate is spent: a digest of host and key, so that the key stands in no database. */
function accountOf({ url, key }: ApiSettings): string {
  return createHash('sha256')
    .update(`${new URL(url).host}\n${key ?? ''}`)
    .digest('hex')
}
