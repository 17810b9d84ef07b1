import type { Queryable } from '../db/database.ts'
import { nameOf, type S3Object } from '../db/snapshots.ts'
import { entryOf } from './entries.ts'
import { verifyEntry } from './ledger.ts'
import { adoptObject, answerFromRow, pointRow } from './mend.ts'
import type { Mended } from './problem.ts'
import { objectFault } from './stored.ts'
import type { Verification } from './verification.ts'

/** A row with what its ledger entry says. */
interface Row {
  id: string
  sha256: string | null
  place: number
  source: string | null
  bucket: string | null
  key: string | null
  hasBytes: boolean
  isKnown: boolean
  hasResponse: boolean
  saysAnswered: boolean
  isAnsweredHere: boolean
  /** How many results the answer holds; null when it cannot be read. */
  results: number | null
  size: number | null
  ledgerBucket: string | null
  ledgerKey: string | null
}

const PAGE_SIZE = 500
const PAGE = `
  SELECT v.id::text, v.image_sha256 AS sha256, v.result_index AS place, v.meta->>'source' AS source,
         v.meta #>> '{s3,bucket}' AS bucket, v.meta #>> '{s3,key}' AS key, v.image_data IS NOT NULL AS "hasBytes",
         l.image_sha256 IS NOT NULL AS "isKnown", l.response IS NOT NULL AS "hasResponse",
         l.answered_at IS NOT NULL OR l.answered_by IS NOT NULL AS "saysAnswered",
         l.answered_by IS NOT NULL AS "isAnsweredHere",
         CASE WHEN jsonb_typeof(l.response) = 'array' THEN jsonb_array_length(l.response)
              WHEN jsonb_typeof(l.response->'results') = 'array' THEN jsonb_array_length(l.response->'results')
         END AS results,
         l.image_size AS size, l.s3_bucket AS "ledgerBucket", l.s3_key AS "ledgerKey"
  FROM vehicle_snapshots v LEFT JOIN plate_lookups l ON l.image_sha256 = v.image_sha256
  WHERE v.result_index IS NOT NULL AND v.id > $1::uuid ORDER BY v.id LIMIT $2`
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000'

/** Every row that this tool wrote, a page at a time. */
async function* rowPages(database: Queryable): AsyncGenerator<Row[]> {
  for (let after = BEFORE_ALL; ; ) {
    const page = await database.query<Row>(PAGE, [after, PAGE_SIZE])
    yield page
    const last = page.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

/** Every row: has it a ledger entry with its answer, a result in that, and the ledger's object? */
export async function verifyRows(verification: Verification): Promise<void> {
  for await (const page of rowPages(verification.database)) {
    for (const row of page) {
      verification.signal.throwIfAborted()
      verification.counts.rows += 1
      await verifyRow(row, verification)
    }
  }
}

async function verifyRow(row: Row, verification: Verification): Promise<void> {
  const { id, sha256, place, results } = row
  const about = { sha256: sha256 ?? undefined, source: row.source ?? undefined }
  // An answer that was lost is told of with its ledger entry.
  if (!row.isKnown || (!row.hasResponse && !row.saysAnswered)) {
    const what = `Row ${id} has no ${row.isKnown ? 'answer in the ledger' : 'ledger entry'}.`
    const mend = () => enterFromRow(sha256, verification)
    return verification.report({ code: 'row_without_ledger', ...about, what, mend })
  }
  if (results !== null && (place < 0 || place >= results)) {
    const what = `Row ${id} is of result ${place}, and the answer has ${results}, counted from 0.`
    await verification.report({ code: 'row_without_result', ...about, what })
  }
  if (sha256 === null || !(await isElsewhere(row, verification))) return
  const [named, owned] = objectsOf(row)
  const what = `Row ${id} names ${named ? nameOf(named) : 'no object'}, the ledger ${owned ? nameOf(owned) : 'none'}.`
  const mend = () => makeOne({ ...row, sha256 }, verification)
  await verification.report({ code: 'row_elsewhere', ...about, object: named, what, mend })
}

/** The object that the row names, and the ledger's. */
function objectsOf({ bucket, key, ledgerBucket, ledgerKey }: Row) {
  const toObject = (b: string | null, k: string | null): S3Object | undefined =>
    b !== null && k !== null ? { bucket: b, key: k } : undefined
  return [toObject(bucket, key), toObject(ledgerBucket, ledgerKey)] as const
}

/** The older tool stored an image as often as it met it: its rows may name objects of their own, if they are there. */
async function isElsewhere(row: Row, { objects, counts }: Verification): Promise<boolean> {
  const [named, owned] = objectsOf(row)
  if (named?.bucket === owned?.bucket && named?.key === owned?.key) return false
  if (named === undefined) return row.isAnsweredHere && !row.hasBytes
  if (row.isAnsweredHere || objects === undefined) return row.isAnsweredHere
  counts.objects += 1
  return (await objects.look(named)).kind === 'missing'
}

/** The ledger entry as the row's own answer makes it; an entry made now is verified like any other. */
async function enterFromRow(sha256: string | null, verification: Verification): Promise<Mended> {
  const { database, mayReadData } = verification
  if (sha256 === null) {
    return { isMended: false, said: 'It names no image: delete it, and run its image again.' }
  }
  const { isNew, isAnswered } = await answerFromRow(database, sha256)
  if (!isAnswered) {
    const said = 'It keeps no answer either: a run with its image asks once more (one lookup).'
    return { isMended: false, said }
  }
  const entry = isNew ? await entryOf(database, mayReadData, sha256) : undefined
  if (entry !== undefined) await verifyEntry(entry, verification)
  return { isMended: true, said: 'The ledger has its answer from the row now.' }
}

/** The ledger's object where it is sound; where the ledger has none, the row's becomes the ledger's. */
async function makeOne(row: Row & { sha256: string }, verification: Verification): Promise<Mended> {
  const { database, objects } = verification
  const { sha256 } = row
  const [named, owned] = objectsOf(row)
  if (objects === undefined) {
    return { isMended: false, said: 'Set S3_BUCKET and the AWS settings to have both looked at.' }
  }
  if (owned !== undefined) {
    if (await objectFault(row, owned, verification)) {
      return { isMended: false, said: "The ledger's object is not sound either: see there." }
    }
    await pointRow(database, row.id, owned, await objects.linkTo(owned))
    return { isMended: true, said: "It names the ledger's now." }
  }
  const digest = named && (await objects.digest(named))
  if (named === undefined || digest?.kind !== 'read' || digest.sha256 !== sha256) {
    return { isMended: false, said: "The row's object does not hold the image." }
  }
  const isTaken = await adoptObject(database, named, { ...digest, sha256 })
  return isTaken
    ? { isMended: true, said: "The ledger owns the row's object now." }
    : { isMended: false, said: 'The ledger has another by now: verify again.' }
}
