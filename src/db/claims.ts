import { inBatches } from '../batches.ts'
import type { Answer } from '../look-up-plates.ts'
import { readStored } from '../response.ts'
import { type AnsweredEntry, textsOf } from './answers.ts'
import type { Database } from './database.ts'
import { ASKING, CLAIM, TAKE_BACK } from './ledger-statements.ts'

/** What the ledger has of an image that is claimed. */
interface MineEntry {
  uncertain: number
  /** A paid answer that waits for its rows, and what had been replaced in it. */
  unsettled: unknown
  mended: unknown
  /** When the image was taken, as it was asked about then. */
  captured: unknown
  is_too_large: boolean
  is_new: boolean
}

/** What comes of a claim: the image is this run's, or answered, or another run's, or purged. */
export type ClaimedEntry = { sha256: string } & (
  | ({ state: 'mine'; is_purged: boolean } & MineEntry)
  | { state: 'purged' }
  | ({ state: 'known' | 'busy'; claimed_by: string | null } & AnsweredEntry)
)

/** Images of one statement. */
const MOST_CLAIMS = 64

/** An image as `CLAIM` and `ASKING` take it, by its SHA-256. */
type Given = Readonly<{ sha256: string }>

/** Claims, and marks of questions about to leave, of many images in one statement each. Both give null for nothing. */
export function createClaims(
  database: Database,
  { runId, force }: { runId: string; force: boolean },
) {
  const claim = inBatches(async (images: readonly Given[]) => {
    const values = [JSON.stringify(images), runId, force]
    const entries = await database.query<ClaimedEntry>(CLAIM, values)
    const purged = entries.filter((entry) => entry.state === 'mine' && entry.is_purged)
    if (purged.length > 0) await database.query(TAKE_BACK, [arrayOf(purged)])
    const told = entries.map(
      (entry): ClaimedEntry =>
        purged.includes(entry) ? { sha256: entry.sha256, state: 'purged' } : entry,
    )
    return inOrderOf(images, told)
  }, MOST_CLAIMS)
  const ask = inBatches(async (images: readonly Given[]) => {
    return inOrderOf(images, await database.query<Given>(ASKING, [arrayOf(images), runId]))
  }, MOST_CLAIMS)

  return { claim, ask }
}

/** Their SHA-256s as PostgreSQL writes an array. */
function arrayOf(images: readonly Given[]): string {
  return `{${images.map(({ sha256 }) => sha256).join(',')}}`
}

/** What a statement gave for each image; null where it gave nothing. */
function inOrderOf<Row extends Given>(
  images: readonly Given[],
  rows: readonly Row[],
): (Row | null)[] {
  const found = new Map(rows.map((row) => [row.sha256, row]))
  return images.map(({ sha256 }) => found.get(sha256) ?? null)
}

/** The paid answer that waits for its rows, if there is one. Nothing is sent for it. */
export function paidAnswerOf({ unsettled, mended }: MineEntry): Answer | undefined {
  const response = unsettled === null ? undefined : readStored(unsettled, textsOf(mended))
  return response && { response, attempts: 0, uncertain: 0 }
}
