import { deflateRawSync } from 'node:zlib'
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
  const refuse = (why: string) => {
    const said = `The answer about ${source ?? sha256} cannot be stored: ${why}`
    throw new DatabaseError('answer_unusable', said)
  }
  const rows = readings.length + otherRows
  if (readings.length > 0 && rows > FEW_ROWS) {
    const bytes = rows * roomOf(raw)
    const size = `${counted(bytes / 1e6)} MB, where ${counted(MOST_BYTES / 1e6)} MB is the most`
    const passing = `${counted(rows)} of its results pass the threshold`
    if (bytes > MOST_BYTES) {
      refuse(`${passing}, and with the whole answer in each their rows would take ${size}.`)
    }
  }
  const longest = readings.reduce((most, { plate }) => Math.max(most, plate?.length ?? 0), 0)
  if (longest > LONGEST_PLATE) {
    const most = `where ${LONGEST_PLATE} is the most`
    refuse(`the text of a plate has ${counted(longest)} characters, ${most}.`)
  }
}

/** PostgreSQL compresses what each row holds, and takes its time for all of it: never less than a tenth is counted. */
function roomOf(raw: unknown): number {
  const text = JSON.stringify(raw)
  return Math.max(text.length / 10, deflateRawSync(text, { level: 1 }).length)
}

function counted(n: number): string {
  return Math.round(n).toLocaleString('en-US')
}
