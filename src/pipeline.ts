import { captureTimeOf } from './capture-time.ts'
import type { AmendableImage, KnownImage, LostBefore } from './db/answers.ts'
import type { Claim } from './db/ledger.ts'
import type { Remembered } from './db/recall.ts'
import type { ClaimedImage } from './db/settlement.ts'
import type { S3Object, SnapshotImage, StoredImage } from './db/snapshots.ts'
import { IngestError, LookupError, LookupFailure } from './errors.ts'
import type { FetchedImage } from './fetch-image.ts'
import { meets } from './filter.ts'
import { givenUp } from './given-up.ts'
import type { ImageRef } from './image-list.ts'
import type { Answer, RunSignals } from './look-up-plates.ts'
import { normalize, type PlateReading, type Snapshot } from './normalize.ts'
import { type Ingested, ingested, outcomeWithoutRows, purgedBefore } from './outcome.ts'
import type { Wanted, WantedImage, WantedLine } from './wanted.ts'

/** A line with what the ledger has of its source, where that is all there is to know. */
export interface Line extends WantedLine {
  remembered?: Remembered | undefined
}

/** The stages, each ready to be used: retried, paced and bound to this run's settings. */
export interface Deps {
  /** Gives nothing when the source is as it is remembered: then it was not read. */
  fetchImage: (line: Line, signal: AbortSignal) => Promise<FetchedImage | undefined>
  ledger: {
    claim(image: WantedImage, object: S3Object | undefined, signal: AbortSignal): Promise<Claim>
    release(sha256: string): Promise<void>
    fail(image: ClaimedImage, error: Error, answer?: Answer): Promise<void>
    settle(
      image: StoredImage & { wanted: Wanted },
      answer: Answer,
      snapshot: Snapshot,
      kept: readonly PlateReading[],
    ): Promise<void>
    amend(
      image: SnapshotImage & AmendableImage,
      added: readonly PlateReading[],
      removed: readonly number[],
    ): Promise<void>
  }
  images: {
    objectFor(image: FetchedImage): S3Object | undefined
    put(image: FetchedImage, signal: AbortSignal, isNew?: boolean): Promise<number>
    urlFor(object: S3Object | undefined, source: string | undefined): Promise<string | undefined>
  }
  /** Has an image whose answer was lost before to be left alone? */
  isGivenUp: (lost: LostBefore) => boolean
  /** Waits until so few images are asked about that one more may be; gives what ends that. */
  placeToAsk: () => Promise<() => void>
  lookUpPlates: (image: WantedImage, signals: RunSignals) => Promise<Answer>
}

/** One line of the list, from reference to rows. It throws; `ingestAll` (ingest-all.ts) makes a throw an outcome. */
export async function ingestImage(ref: Line, deps: Deps, signals: RunSignals): Promise<Ingested> {
  const { ledger, images } = deps
  const { wanted } = ref
  const fetched = await deps.fetchImage(ref, signals.stop)
  if (fetched === undefined) return ingestUnchanged(ref)
  const image = { ...fetched, wanted, captured: captureTimeOf(fetched, wanted.capture) }
  const object = images.objectFor(image)

  // A lookup costs money: what is answered is not asked again, and of several that hold an image one asks.
  const claim = await ledger.claim(image, object, signals.stop)
  if (claim.kind === 'purged') return purgedBefore(image)
  if (claim.kind === 'known') return ingestKnown(image, claim.known, deps, signals.stop)
  let answer = claim.paidAnswer
  let leave = () => {}
  try {
    if (answer === undefined && deps.isGivenUp(claim)) throw givenUp(ref, claim)
    const uploadedBytes = await images.put(image, signals.stop, claim.isNew)
    const url = await images.urlFor(object, ref.source)
    // Until its rows are written: what is paid for and known to nobody else is never more than that.
    leave = await deps.placeToAsk()
    answer ??= await deps.lookUpPlates(image, signals)
    const snapshot = normalize(answer.response)
    const kept = snapshot.readings.filter(meets(wanted.threshold))
    await ledger.settle({ ...image, url, object }, answer, snapshot, kept)
    const outcome = kept.length > 0 ? 'stored' : outcomeWithoutRows(snapshot)
    const { attempts } = answer
    return ingested(image, snapshot, {
      outcome,
      rows: kept.length,
      rowPlaces: kept.map(({ index }) => index),
      wasLookedUp: attempts > 0,
      isSaved: attempts === 0,
      isFitted: attempts > 0 && snapshot.lookupImage !== undefined,
      uploadedBytes,
    })
  } catch (thrown) {
    const isFailed = thrown instanceof IngestError && !isUntouched(thrown, signals.stop)
    // An answer that was paid for is kept, whatever came after it: in the ledger, or else in the spool.
    if (answer !== undefined && answer.attempts > 0 && thrown instanceof Error) {
      await ledger.fail({ ...image, object }, thrown, answer).catch(() => {})
      throw thrown instanceof IngestError ? afterAnswer(ref, thrown, answer) : thrown
    }
    if (isFailed) await ledger.fail({ ...image, object }, thrown, answer)
    else await ledger.release(image.sha256)
    throw thrown
  } finally {
    leave()
  }
}

/** A known image costs nothing: it gets the rows that this run's threshold allows, from its stored answer. */
async function ingestKnown(
  image: WantedImage,
  known: KnownImage,
  deps: Deps,
  signal: AbortSignal,
): Promise<Ingested> {
  const { images, ledger } = deps
  const { missing, facts } = comparedWith(known, image.wanted)
  // Known from elsewhere (a bucket, the older tool): rows in `db` mode have their bytes all the same.
  if (missing.length > 0 && images.objectFor(image) === undefined) await images.put(image, signal)
  const { mime, size } = image
  const complete = { ...known, mime, size }
  const rows = await amendRows(complete, missing, [], { images, amend: ledger.amend })
  return ingested(image, known.snapshot, { outcome: 'duplicate', rows, ...facts })
}

/** An image that is known and was not read again, and has all its rows. */
function ingestUnchanged(line: Line): Ingested {
  const { known } = rememberedOf(line)
  const { facts } = comparedWith(known, line.wanted)
  return ingested(known, known.snapshot, { outcome: 'duplicate', isUnchanged: true, ...facts })
}

/** What the ledger has of a source that was found unchanged. */
export function rememberedOf({ remembered, source }: Line): Remembered {
  if (remembered === undefined) throw new Error(`${source} is as it was, and nobody knows how.`)
  return remembered
}

/** Has a known image all the rows that the threshold allows? Then there is nothing to write. */
export function isComplete(known: KnownImage, wanted: Wanted): boolean {
  return comparedWith(known, wanted).missing.length === 0
}

/** A known image's rows beside those that the wanted threshold allows. */
function comparedWith(
  { snapshot, rowPlaces: present, wasAskedDifferently }: KnownImage,
  { threshold }: Wanted,
) {
  const kept = snapshot.readings.filter(meets(threshold))
  const missing = kept.filter(({ index }) => !present.includes(index))
  const rowPlaces = [...present, ...missing.map(({ index }) => index)]
  const rowsBelow = rowPlaces.length - kept.length
  return { missing, facts: { rowPlaces, rowsBelow, wasAskedDifferently, isSaved: true } }
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
  await amend({ ...known, url }, missing, surplus)
  return missing.length
}

/**
 * Is the image as if it had never been begun? So it is when the run stops: it counts nowhere, and the next run takes it.
 * An answer lost on the way is another matter: it may have been billed.
 */
export function isUntouched(error: unknown, stop: AbortSignal): boolean {
  // What stopped the run is thrown by all that wait, and it is not their own.
  if (stop.aborted && error === stop.reason) return true
  if (error instanceof LookupFailure && error.isAnswered) return false
  if (error instanceof IngestError && error.scope === 'run') return true
  if (!stop.aborted) return false
  if (error instanceof LookupError) return error.isRetryable && !error.isUncertain
  return error instanceof Error && error.name === 'AbortError'
}

/** The same failure with the requests that had been sent and answered before it: they count, and were paid for. */
function afterAnswer(
  { source }: ImageRef,
  failure: IngestError,
  { attempts, uncertain }: Answer,
): LookupFailure {
  const { code, scope, hint, message } = failure
  // What has no room now has none in the next run either; it says so itself.
  const isUnusable = code === 'answer_unusable'
  const looked = `${source} was looked up, and its answer could not be written: `
  // Where it is when the database is away, the end of the run tells.
  const kept =
    isUnusable || scope === 'run' ? '' : 'The answer is kept, and the next run writes it. '
  const error = new LookupError(code, `${isUnusable ? '' : looked}${message}`, {
    hint: `${kept}${hint}`,
    cause: failure,
  })
  return new LookupFailure(error, { attempts, uncertain, isAnswered: true })
}
