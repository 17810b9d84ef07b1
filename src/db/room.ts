import { DatabaseError } from '../errors.ts'
import type { PlateReading } from '../normalize.ts'

/** What the rows of one image may take, in bytes: each of them holds the whole answer. */
const MOST_BYTES = 100_000_000
/** So many take no more, whatever the answer: the largest has 10 MB. */
const FEW_ROWS = 10
/** Longest text of a plate, in UTF-16 units: an index of PostgreSQL takes 2,700 bytes. */
const LONGEST_PLATE = 500

/**
 * Makes sure of what PostgreSQL would refuse in its own words, or take and be filled by: thousands of rows, each with an
 * answer of megabytes, and texts that are too long for an index.
 * @param raw the answer as stored
 * @param otherRows rows of the image that there are beside those of `readings`
 * @throws {DatabaseError} `answer_unusable`
 */
export function requireRoom(
  { source, sha256 }: { source: string | undefined; sha256: string },
  raw: unknown,
  readings: readonly PlateReading[],
  otherRows = 0,
): void {
  const about = `The answer about ${source ?? sha256} cannot be stored`
  const rows = readings.length + otherRows
  if (readings.length > 0 && rows > FEW_ROWS) {
    const bytes = rows * JSON.stringify(raw).length
    if (bytes > MOST_BYTES) {
      const count = rows.toLocaleString('en-US')
      const size = Math.round(bytes / 1e6).toLocaleString('en-US')
      const said = `${count} of its results pass the threshold, and with the whole answer in each their rows would take ${size} MB, where ${MOST_BYTES / 1e6} MB is the most.`
      throw new DatabaseError('answer_unusable', `${about}: ${said}`)
    }
  }
  const longest = readings.reduce((most, { plate }) => Math.max(most, plate?.length ?? 0), 0)
  if (longest > LONGEST_PLATE) {
    const length = longest.toLocaleString('en-US')
    const said = `the text of a plate has ${length} characters, where ${LONGEST_PLATE} is the most.`
    throw new DatabaseError('answer_unusable', `${about}: ${said}`)
  }
}
