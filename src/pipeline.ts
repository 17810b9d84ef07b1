import type { Claim, KnownImage } from './db/ledger.ts'
import type { S3Object, SnapshotImage, StoredImage } from './db/snapshots.ts'
import { IngestError, InterruptedError, LookupError, LookupFailure } from './errors.ts'
import type { FetchedImage } from './fetch-image.ts'
import type { ImageRef } from './image-list.ts'
import type { Answer, RunSignals } from './look-up-plates.ts'
import { normalize, type PlateReading, type Snapshot } from './normalize.ts'

/** The stages, each ready to be used: retried, paced and bound to this run's settings. */
export interface Deps {
  fetchImage: (ref: ImageRef, signal: AbortSignal) => Promise<FetchedImage>
  ledger: {
    claim(image: FetchedImage, object: S3Object | undefined, signal: AbortSignal): Promise<Claim>
    release(sha256: string): Promise<void>
    fail(sha256: string, error: IngestError): Promise<void>
    settle(
      image: StoredImage,
      answer: Answer,
      snapshot: Snapshot,
      kept: readonly PlateReading[],
    ): Promise<void>
    amend(
      image: SnapshotImage,
      snapshot: Snapshot,
      added: readonly PlateReading[],
      removed: readonly number[],
    ): Promise<void>
  }
  images: {
    objectFor(image: FetchedImage): S3Object | undefined
    put(image: FetchedImage, signal: AbortSignal): Promise<number>
    urlFor(object: S3Object | undefined, source: string | undefined): Promise<string | undefined>
  }
  /** Has an image whose answer was lost before to be left alone? */
  isGivenUp: (lostAnswers: number) => boolean
  lookUpPlates: (image: FetchedImage, signals: RunSignals) => Promise<Answer>
  /** The confidence filter. */
  keeps: (reading: PlateReading) => boolean
}

/** What came of one image, for people, machines and the tally. Sizes in bytes, times in milliseconds. */
export interface Ingested {
  outcome: 'stored' | 'below_threshold' | 'no_plate' | 'duplicate' | 'would_look_up'
  image: FetchedImage
  readings: readonly PlateReading[]
  /** Rows written now. */
  rows: number
  wasLookedUp: boolean
  uncertain: number
  uploadedBytes: number
  wasAskedDifferently: boolean
}

export type Outcome =
  | (Ingested & { ref: ImageRef; ms: number })
  | { outcome: 'failed'; ref: ImageRef; ms: number; error: unknown }

/** One line of the list, from reference to rows. It throws; `ingestAll` makes a throw an outcome. */
export async function ingestImage(
  ref: ImageRef,
  deps: Deps,
  signals: RunSignals,
): Promise<Ingested> {
  const { ledger, images } = deps
  const image = await deps.fetchImage(ref, signals.stop)
  const object = images.objectFor(image)

  // A lookup costs money: what is answered is not asked again, and of several that hold an image one asks.
  const claim = await ledger.claim(image, object, signals.stop)
  if (claim.kind === 'known') return ingestKnown(image, claim.known, deps)
  try {
    if (deps.isGivenUp(claim.lostAnswers)) throw givenUp(ref)
    const uploadedBytes = await images.put(image, signals.stop)
    const answer = await deps.lookUpPlates(image, signals)
    const snapshot = normalize(answer.response)
    const kept = snapshot.readings.filter(deps.keeps)
    const url = await images.urlFor(object, ref.source)
    await ledger.settle({ ...image, url, object }, answer, snapshot, kept)
    const outcome = kept.length > 0 ? 'stored' : outcomeWithoutRows(snapshot)
    const { uncertain } = answer
    return ingested(image, snapshot, {
      outcome,
      rows: kept.length,
      wasLookedUp: true,
      uncertain,
      uploadedBytes,
    })
  } catch (thrown) {
    await giveBack(image.sha256, thrown, deps, signals)
    throw thrown
  }
}

/** A known image costs nothing: it gets the rows that this run's threshold allows, from its stored answer. */
async function ingestKnown(image: FetchedImage, known: KnownImage, deps: Deps): Promise<Ingested> {
  const { snapshot, wasAskedDifferently } = known
  const missing = snapshot.readings
    .filter(deps.keeps)
    .filter(({ index }) => !known.rowPlaces.includes(index))
  const { images, ledger } = deps
  const rows = await amendRows(known, missing, [], { images, amend: ledger.amend })
  return ingested(image, snapshot, { outcome: 'duplicate', rows, wasAskedDifferently })
}

/** Adds rows from a stored answer, and removes others. @returns how many were added */
export async function amendRows(
  known: KnownImage,
  missing: readonly PlateReading[],
  surplus: readonly number[],
  { images, amend }: { images: Pick<Deps['images'], 'urlFor'>; amend: Deps['ledger']['amend'] },
): Promise<number> {
  if (missing.length === 0 && surplus.length === 0) return 0
  const url = await images.urlFor(known.object, known.source)
  await amend({ ...known, url }, known.snapshot, missing, surplus)
  return missing.length
}

/** What `--dry-run` needs: it fetches and hashes, and asks the ledger, but writes nothing. */
export interface PreviewDeps {
  fetchImage: Deps['fetchImage']
  isKnown: (sha256: string) => Promise<boolean>
  /** Images seen before in the list, about 100 bytes each. */
  seen: Set<string>
}

/** One line of the list in a dry run: would it be looked up? */
export async function previewImage(
  ref: ImageRef,
  { fetchImage, isKnown, seen }: PreviewDeps,
  { stop }: RunSignals,
): Promise<Ingested> {
  const image = await fetchImage(ref, stop)
  // Noted before anything is waited for: a copy may be under way beside it.
  const isCopy = seen.has(image.sha256)
  seen.add(image.sha256)
  const isOld = isCopy || (await isKnown(image.sha256))
  return ingested(image, { readings: [] }, { outcome: isOld ? 'duplicate' : 'would_look_up' })
}

export interface IngestAllOptions {
  concurrency: number
  /** Consecutive images failed for want of the API before the run stops. */
  stopAfter: number
  /** How long lookups in flight are waited for after a stop, in milliseconds. */
  graceMs: number
  ingestOne: (ref: ImageRef, signals: RunSignals) => Promise<Ingested>
  onOutcome: (outcome: Outcome) => void
}

/**
 * The list, `concurrency` images at a time. An error that concerns the run, or `signal`, stops it in good order: nothing
 * new is begun, and lookups in flight are finished and written.
 * @returns what stopped it; undefined when it got through
 */
export async function ingestAll(
  list: (signal: AbortSignal) => AsyncGenerator<ImageRef>,
  { concurrency, stopAfter, graceMs, ingestOne, onOutcome }: IngestAllOptions,
  signal: AbortSignal,
): Promise<unknown> {
  const stopper = new AbortController()
  const stop = stopper.signal
  const end = followAfter(stop, graceMs)
  let withoutApi = 0

  async function settle(ref: ImageRef): Promise<void> {
    const started = performance.now()
    const timed = () => ({ ref, ms: Math.round(performance.now() - started) })
    try {
      const result = await ingestOne(ref, { stop, end })
      onOutcome({ ...result, ...timed() })
      if (result.wasLookedUp) withoutApi = 0
    } catch (error) {
      if (isUntouched(error, stop)) return stopper.abort(error)
      onOutcome({ outcome: 'failed', error, ...timed() })
      // A copy that shares another's failure says nothing new about the API.
      const isCopy = error instanceof LookupFailure && error.attempts === 0
      if (error instanceof LookupError && !isCopy)
        withoutApi = error.isForWantOfApi ? withoutApi + 1 : 0
      if (withoutApi >= stopAfter) stopper.abort(apiDown(withoutApi, error))
    }
  }

  const interrupt = () => stopper.abort(new InterruptedError())
  signal.addEventListener('abort', interrupt, { once: true })
  if (signal.aborted) interrupt()
  try {
    const refs = list(stop)
    const work = async () => {
      for await (const ref of refs) {
        if (stop.aborted) break
        await settle(ref)
      }
    }
    // A list that breaks off stops the run like anything else that concerns all of it.
    const works = Array.from({ length: concurrency }, () =>
      work().catch((error) => stopper.abort(error)),
    )
    await Promise.all(works)
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
  return stop.reason
}

/** A signal that aborts a while after another one did. */
function followAfter(first: AbortSignal, delayMs: number): AbortSignal {
  const follower = new AbortController()
  const follow = () => setTimeout(() => follower.abort(first.reason), delayMs).unref()
  first.addEventListener('abort', follow, { once: true })
  return follower.signal
}

/**
 * Is the image as if it had never been begun? So it is when the run stops: it counts nowhere, and the next run takes it.
 * An answer lost on the way is another matter: it may have been billed.
 */
function isUntouched(error: unknown, stop: AbortSignal): boolean {
  if (error instanceof IngestError && error.scope === 'run') return true
  if (!stop.aborted) return false
  if (error instanceof LookupError) return error.isRetryable && !error.isUncertain
  return error === stop.reason || (error instanceof Error && error.name === 'AbortError')
}

async function giveBack(
  sha256: string,
  thrown: unknown,
  { ledger }: Deps,
  { stop }: RunSignals,
): Promise<void> {
  if (thrown instanceof IngestError && !isUntouched(thrown, stop)) await ledger.fail(sha256, thrown)
  else await ledger.release(sha256)
}

function givenUp({ source }: ImageRef): LookupError {
  return new LookupError(
    'answer_lost',
    `${source} was perhaps billed before without an answer, and is not asked again.`,
    {
      hint: 'To ask once more, run without --lost-answer fail.',
    },
  )
}

function apiDown(images: number, cause: unknown): LookupError {
  const last = cause instanceof Error ? ` The last: ${cause.message}` : ''
  const what = images === 1 ? 'An image' : `${images} images in a row`
  return new LookupError('api_down', `${what} failed for want of the API.${last}`, { cause })
}

function outcomeWithoutRows({ readings }: Snapshot): 'below_threshold' | 'no_plate' {
  return readings.some(({ plate }) => plate !== undefined) ? 'below_threshold' : 'no_plate'
}

function ingested(
  image: FetchedImage,
  { readings }: Pick<Snapshot, 'readings'>,
  facts: Pick<Ingested, 'outcome'> & Partial<Ingested>,
): Ingested {
  return {
    image,
    readings,
    rows: 0,
    wasLookedUp: false,
    uncertain: 0,
    uploadedBytes: 0,
    wasAskedDifferently: false,
    ...facts,
  }
}
