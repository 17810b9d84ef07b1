import type { FetchedImage } from './fetch-image.ts'
import type { ImageRef } from './image-list.ts'
import type { PlateReading, Snapshot } from './normalize.ts'

/** An image as it is told of; type and size of an older tool's image may not be known. */
export interface TellableImage extends Pick<FetchedImage, 'sha256' | 'file'> {
  mime: string | undefined
  size: number | undefined
}

/** What became of an image's file with `--archive`; of one that was gone, or was another by then, nothing did. */
export type Archiving = 'moved' | 'failed' | 'to move'

/** What came of one image, for people, machines and the tally. Sizes in bytes, times in milliseconds. */
export interface Ingested {
  outcome: 'stored' | 'below_threshold' | 'no_plate' | 'duplicate' | 'would_look_up'
  image: TellableImage
  readings: readonly PlateReading[]
  /** Rows written now. */
  rows: number
  /** Places in the answer that have a row now. */
  rowPlaces: readonly number[]
  /** Rows of a known image that this run's threshold would not have made; they stay. */
  rowsBelow: number
  wasLookedUp: boolean
  /** The ledger had its answer: a lookup that was not bought. */
  isSaved: boolean
  uploadedBytes: number
  /** Another picture than the stored one was sent: turned upright, converted or made smaller. */
  isFitted: boolean
  wasAskedDifferently: boolean
  /** It was as when it was read before: a file that was not opened, or a URL whose server said so. */
  isUnchanged: boolean
  /** It was purged before, and its tombstone keeps it from coming back. */
  isPurged: boolean
  archiving?: Archiving | undefined
}

/** `returned`: it goes back into the queue that it came from. */
export interface Failed {
  outcome: 'failed' | 'returned'
  ref: ImageRef
  ms: number
  error: unknown
}

export type Outcome = (Ingested & { ref: ImageRef; ms: number }) | Failed

/** An outcome in which what is not said did not happen. */
export function ingested(
  image: TellableImage,
  { readings }: Pick<Snapshot, 'readings'>,
  facts: Pick<Ingested, 'outcome'> & Partial<Ingested>,
): Ingested {
  return {
    image,
    readings,
    rows: 0,
    rowPlaces: [],
    rowsBelow: 0,
    wasLookedUp: false,
    isSaved: false,
    uploadedBytes: 0,
    isFitted: false,
    wasAskedDifferently: false,
    isUnchanged: false,
    isPurged: false,
    ...facts,
  }
}

/** An image that was purged is neither stored nor looked up again, and nothing is told of it but that. */
export function purgedBefore(image: TellableImage): Ingested {
  return ingested(image, { readings: [] }, { outcome: 'duplicate', isPurged: true })
}

/** Of an answer of which no reading got a row. */
export function outcomeWithoutRows({
  readings,
}: Pick<Snapshot, 'readings'>): 'below_threshold' | 'no_plate' {
  return readings.some(({ plate }) => plate !== undefined) ? 'below_threshold' : 'no_plate'
}
