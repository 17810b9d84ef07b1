import type { S3Object } from '../db/snapshots.ts'
import { counted, visible } from '../run-report.ts'

const RESTORED =
  '--repair stores it again, from the database, its object or where the image came from.'

/** Every kind of problem by its stable code, and what to do about it where nothing was tried yet. */
const ADVICE = {
  // stored images
  missing_object: RESTORED,
  wrong_size: RESTORED,
  wrong_checksum: RESTORED,
  damaged_object: RESTORED,
  missing_bytes: RESTORED,
  damaged_bytes: RESTORED,
  not_stored: '--repair confirms that it is stored, or stores it again.',
  object_refused: 'Give the credentials the rights that docs/storage.md names.',
  objects_unchecked: 'Set S3_BUCKET and the AWS settings, as for the run that stored them.',
  // answers
  answered_without_response: '--repair takes the answer from a row, where there is one.',
  unreadable_response: '--repair takes the answer from a row, where there is one.',
  // rows
  row_without_ledger: "--repair makes the ledger entry from the row's own answer.",
  row_without_result: 'plate-snapshot reprocess, with your --confidence-threshold, removes it.',
  row_elsewhere: '--repair makes the row and the ledger name one object.',
  // the bucket, and runs
  orphan_object: '--repair enters it into the ledger, if it holds the image that its name tells.',
  stale_claim: 'Harmless: the next run takes it over, and --repair gives it back.',
} as const

type ProblemCode = keyof typeof ADVICE

/** What came of a repair, and in words: what was done, or why it cannot be and what to do. */
export interface Mended {
  isMended: boolean
  said: string
}

/** Something that is wrong. */
export interface Finding {
  code: ProblemCode
  sha256?: string | undefined
  object?: S3Object | undefined
  /** Where the image came from. */
  source?: string | undefined
  /** A sentence. */
  what: string
  /** Mends it for nothing; absent when only its user can. */
  mend?: () => Promise<Mended>
}

/** A finding with what came of it, as `--json` writes it. */
export function problemRecord({ code, sha256, object, source, what }: Finding, mended?: Mended) {
  return {
    event: 'problem',
    code,
    sha256: sha256 ?? null,
    key: object?.key ?? null,
    source: source ?? null,
    message: `${what} ${mended?.said ?? ADVICE[code]}`,
    repaired: mended?.isMended ?? false,
  }
}

/** The same for people, on one line whatever keys and sources hold. */
export function problemLine({
  code,
  sha256,
  source,
  message,
  repaired,
}: ReturnType<typeof problemRecord>): string {
  const whose = [sha256, source].filter((part) => part !== null).join(' ')
  const about = whose === '' ? '' : ` ${whose}:`
  return visible(`${code}${about} ${message}${repaired ? ' [repaired]' : ''}`)
}

/** What was looked at, and what was found. */
export interface Counts {
  /** Ledger entries. */
  images: number
  /** Objects that the ledger names. */
  objects: number
  /** Rows that this tool wrote. */
  rows: number
  problems: number
  repaired: number
  /** Objects whose server tells no SHA-256 of them, and whose bytes were not read. */
  unread: number
}

/** The summary for people. */
export function countsLines({ images, objects, rows, problems, repaired, unread }: Counts) {
  const looked = [counted(images, 'image'), counted(objects, 'object'), counted(rows, 'row')]
  const found =
    problems === 0
      ? 'nothing is wrong'
      : `${counted(problems, 'problem')}, ${counted(repaired, 'repaired', 'repaired')}`
  const lines = [`${looked.join(', ')} checked: ${found}; nothing was looked up.`]
  if (unread > 0) {
    const keep = unread === 1 ? 'has' : 'have'
    lines.push(`${counted(unread, 'object')} ${keep} no checksum to go by: --read-data reads them.`)
  }
  return lines
}
