import type { FetchedImage } from '../../src/fetch-image.ts'
import type { Ingested, Outcome } from '../../src/outcome.ts'

const REF = { line: 12, text: 'https://u:p@x/car.jpg', source: 'https://x/car.jpg' }
const IMAGE: FetchedImage = {
  source: REF.source,
  bytes: Buffer.from('car'),
  mime: 'image/jpeg',
  extension: 'jpg',
  size: 3,
  sha256: 'ab'.repeat(32),
}

export function outcomeOf(
  outcome: Ingested['outcome'],
  facts: Partial<Ingested> = {},
): Exclude<Outcome, { outcome: 'failed' }> {
  return {
    outcome,
    ref: REF,
    ms: 412,
    image: IMAGE,
    readings: [],
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

export function failedWith(error: unknown): Outcome {
  return { outcome: 'failed', ref: REF, ms: 7, error }
}
