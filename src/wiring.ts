import { accountOf } from './account.ts'
import { requireOwnArchive, withArchive } from './archive.ts'
import type { Settings } from './config.ts'
import type { Database } from './db/database.ts'
import { createFailures } from './db/failures.ts'
import { createLedger } from './db/ledger.ts'
import { patient } from './db/patient.ts'
import type { Recalled } from './db/recall.ts'
import { beginRun, heartbeatOf } from './db/runs.ts'
import { requireSchema } from './db/schema.ts'
import { dieAt, told, withSteps } from './die-at.ts'
import { DatabaseError } from './errors.ts'
import { lazyDecoder, lookUpFitted, uploadLimit } from './fitted-lookup.ts'
import { isGivenUp } from './given-up.ts'
import { createDispatcher } from './http.ts'
import type { Stopper } from './ingest-all.ts'
import { createBudget, lookUpPlatesBy, type RunSignals } from './look-up-plates.ts'
import { openPace, ownDelayMs, type RunKind } from './open-pace.ts'
import type { RunOptions } from './options.ts'
import { databaseOutage, storageOutage } from './outages.ts'
import type { Ingested } from './outcome.ts'
import { type Deps, ingestImage, isUntouched, type Line } from './pipeline.ts'
import { createPlaces, inFlightFor } from './places.ts'
import { guardOfApi, guardOfImages } from './reach.ts'
import { createFetch, createMemory } from './reading.ts'
import { LOOKUP_POLICY, withRetry } from './retry.ts'
import { openSafety, readInEarlier } from './safekeeping.ts'
import { createSend } from './send-lookup.ts'
import type { Spool } from './spool.ts'
import type { ImageStore } from './storage/image-store.ts'
import { openDatabase, openImageStore } from './stores.ts'

/** Longest wait for one statement of a run, in milliseconds: the bytes of a large image over a slow line included. */
const QUERY_TIMEOUT_MS = 60_000

/** A run with everything it needs, open. */
export interface Opened {
  database: Database
  /** Undefined in a dry run, which stores nothing. */
  images: ImageStore | undefined
  /** Answers that could not be written, if it came to that. */
  spool: Spool | undefined
  /** Images that may be between their line and their rows at once. */
  inFlight: number
  /** What the ledger has of sources. */
  recall: (sources: readonly string[]) => Promise<Recalled>
  /** Takes one line through. */
  ingestOne: (line: Line, signals: RunSignals) => Promise<Ingested>
  /** @param summary what the run did, kept in the database */
  close(summary?: object): Promise<void>
}

/** What a run tells while it is under way. */
export interface RunEvents {
  onAttempt: () => void
  /** An answer was lost: the request may have been billed. */
  onUncertain: () => void
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
  options: RunOptions & RunKind,
  events: RunEvents,
  stopper: Stopper,
): Promise<Opened> {
  const { archive } = options
  if (archive !== undefined) await requireOwnArchive(archive)
  const closers: ((summary?: object) => Promise<void> | undefined)[] = []
  const close = async (summary?: object) => {
    // One that fails must not keep the others open: the folder's lock is the last.
    for (const closer of closers.reverse()) await closer(summary)?.catch(() => {})
  }
  try {
    const database = await openDatabase(settings.database, {
      concurrency: options.concurrency,
      queryTimeoutMs: QUERY_TIMEOUT_MS,
    })
    closers.push(() => database.close())
    await requireSchema(database)

    const account = accountOf(settings.api)
    const heartbeat = heartbeatOf(options.heartbeat * 1_000)
    const run = await beginRun(database, {
      // A worker belongs to the account when it joins its pace.
      account: options.isWorker ? undefined : account,
      ...{ delayMs: ownDelayMs(options), heartbeat },
      ...(!options.isWorker && { threshold: options.confidenceThreshold }),
    })
    // A database that has gone away cannot be told; the heartbeat's silence will.
    closers.push((summary) => run.end(summary))

    const bearing = { patience: options.patience, onNotice: events.onNotice }
    const outage = databaseOutage(database, run.beat, bearing, stopper.end)
    const safekeeping = {
      stateFolder: settings.stateFolder,
      runId: run.id,
      onNotice: events.onNotice,
    }
    const safety = await openSafety(database, safekeeping)
    const reached = settings.dieAt === undefined ? undefined : dieAt(settings.dieAt)
    const ledger = createLedger(database, run, {
      ...{ force: options.force, isFailureFinal: !options.isWorker, outage, safety },
      onDeadRuns: () => readInEarlier(database, images, safekeeping),
    })

    const images = await openImageStore(settings.storage, ledger.keepBytes)
    closers.push(() => void images.close())
    const { through } = storageOutage(images, bearing, stopper.stop)
    await readInEarlier(database, images, safekeeping)

    const fetching = createDispatcher(options.fetchTimeout * 1_000, {
      connections: options.concurrency,
      guard: guardOfImages(options),
    })
    const asking = createDispatcher(options.lookupTimeout * 1_000, {
      connections: options.concurrency,
      guard: guardOfApi(settings.api),
    })
    closers.push(
      () => fetching.destroy(),
      () => asking.destroy(),
    )

    const lasting = patient(database, outage)
    const lookUp = lookUpPlatesBy({
      send: createSend(settings.api, options.lookupTimeout, asking),
      pace: await openPace(lasting, account, run, options),
      asking: reached ? told('asking', ledger.asking, reached) : ledger.asking,
      notAsking: ledger.notAsking,
      budget: createBudget(options.maxLookups),
      policy: { ...LOOKUP_POLICY, retries: options.retries },
      lostAnswer: options.lostAnswer,
      ...events,
    })
    const { decoder, close: closeDecoder } = lazyDecoder()
    closers.push(closeDecoder)
    const plain: Deps = {
      fetchImage: createFetch(options, fetching),
      ledger,
      images: {
        ...images,
        put: (image, signal, isNew) => through(() => images.put(image, signal, isNew)),
      },
      isGivenUp: (lost) => isGivenUp(options, lost),
      placeToAsk: createPlaces(options.concurrency),
      lookUpPlates: lookUpFitted(lookUp, {
        decoder,
        maxUploadBytes: uploadLimit(options.maxUploadBytes, settings.api),
      }),
    }
    const deps = reached ? withSteps(plain, reached) : plain
    const noteFailure = createFailures(lasting)
    const ingestAlone: Opened['ingestOne'] = async (line, signals) => {
      try {
        return await againWhenTakenOver(() => ingestImage(line, deps, signals), signals.stop)
      } catch (thrown) {
        // What is wrong with the database, the next image will tell; this one has its own failure to tell. A line that
        // cannot be read names no source.
        if (line.problem === undefined && !isUntouched(thrown, signals.stop)) {
          await noteFailure(line.source, thrown).catch(() => {})
        }
        throw thrown
      }
    }
    const archiving = { onNotice: events.onNotice, reached }
    const ingestOne =
      archive === undefined ? ingestAlone : withArchive(ingestAlone, archive, archiving)
    const inFlight = inFlightFor(options.concurrency)
    const recall = createMemory(lasting, options)
    const { spool } = safety
    return { database: lasting, images, spool, inFlight, recall, ingestOne, close }
  } catch (thrown) {
    await close()
    throw thrown
  }
}

/** How often an image may be taken over by other runs while this process sleeps, and still be tried again. */
const TAKEN_OVER = { retries: 3, firstMs: 0, factor: 1, longestMs: 0 }

/** A machine that slept finds its claims taken over: whatever the other run did with the image is waited for. */
function againWhenTakenOver<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const isTakenOver = (error: Error) =>
    error instanceof DatabaseError && error.code === 'claim_lost'
  return withRetry(work, TAKEN_OVER, isTakenOver, signal)
}
