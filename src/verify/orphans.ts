import type { Database } from '../db/database.ts'
import { IS_PURGED, isStale } from '../db/ledger-statements.ts'
import { nameOf, type S3Object } from '../db/snapshots.ts'
import { storable } from '../storable.ts'
import type { Objects } from '../storage/objects.ts'
import { adoptObject } from './mend.ts'
import type { Mended } from './problem.ts'
import type { Verification } from './verification.ts'

/** `vehicle-snapshots/<first two digits>/<sha256>.<extension>`, as this tool names its objects. */
const OUR_KEY = /^vehicle-snapshots\/([0-9a-f]{2})\/(\1[0-9a-f]{62})\.[a-z0-9]+$/
/** What `check` leaves behind where it may not delete. */
const CHECK_KEY = /^vehicle-snapshots\/check-[0-9a-f-]{36}$/

/** $1 the objects as JSON, $2 the bucket. By the image first: for keys alone there is no index. */
const LISTED = `jsonb_to_recordset($1::jsonb) AS o (n int, key text, sha256 text)`
const knownByImage = (database: Database) => `
  SELECT o.n FROM ${LISTED} JOIN plate_lookups l ON l.image_sha256 = o.sha256
  WHERE (l.s3_bucket = $2 AND l.s3_key = o.key)
    -- A run is at work on it, and may be about to write that it has put it elsewhere than before.
    OR (l.claimed_by IS NOT NULL AND NOT ${isStale(database)})`
/** Keys of the older tool: the ledger's, and those of rows that are that tool's alone. */
const KNOWN_BY_KEY = `
  SELECT o.n FROM ${LISTED} JOIN plate_lookups l ON l.s3_key = o.key AND l.s3_bucket = $2
  UNION
  SELECT o.n FROM ${LISTED} JOIN vehicle_snapshots v
    ON v.meta #>> '{s3,key}' = o.key AND v.meta #>> '{s3,bucket}' = $2 AND v.result_index IS NULL`

/**
 * Every object in the bucket: does the ledger know it? A run notes an object in the ledger before it puts it, so one at
 * work makes no orphan.
 */
export async function verifyBucket(objects: Objects, verification: Verification): Promise<void> {
  for await (const page of objects.list()) {
    const listed = page.filter(({ key }) => !CHECK_KEY.test(key))
    for (const object of await unknownOf(listed, verification.database)) {
      verification.signal.throwIfAborted()
      // Purged since it was listed?
      if ((await objects.look(object)).kind === 'missing') continue
      const sha256 = OUR_KEY.exec(object.key)?.[2]
      const what = `The ledger does not know ${nameOf(object)}.`
      const mend = () => adopt(object, sha256, objects, verification)
      await verification.report({ code: 'orphan_object', sha256, object, what, mend })
    }
  }
}

async function unknownOf(listed: readonly S3Object[], database: Database): Promise<S3Object[]> {
  let unknown = [...listed]
  for (const sql of [knownByImage(database), KNOWN_BY_KEY]) {
    const [first] = unknown
    if (first === undefined) return []
    const asked = unknown.map(({ key }, n) => ({ n, key, sha256: OUR_KEY.exec(key)?.[2] }))
    const values = [JSON.stringify(storable(asked)), first.bucket]
    const known = new Set((await database.query<{ n: number }>(sql, values)).map(({ n }) => n))
    unknown = unknown.filter((_object, n) => !known.has(n))
  }
  return unknown
}

/** Stored, and not answered: a run with the image finds it there. */
async function adopt(
  object: S3Object,
  sha256: string | undefined,
  objects: Objects,
  { database }: Verification,
): Promise<Mended> {
  if (sha256 === undefined) return left('Its name is not one that this tool gives.')
  const digest = await objects.digest(object)
  if (digest.kind === 'refused') return left(digest.said)
  if (digest.kind === 'missing' || digest.sha256 !== sha256) {
    return left('Its bytes are not those that its name tells.')
  }
  const mime = /^image\//.test(digest.mime ?? '') ? digest.mime : undefined
  if (await adoptObject(database, object, { sha256, mime, size: digest.size })) {
    return { isMended: true, said: 'The ledger owns it now.' }
  }
  if ((await database.query(IS_PURGED, [sha256])).length > 0) {
    return { isMended: false, said: 'The image was purged: delete the object.' }
  }
  return left('The ledger has another object for this image.')
}

function left(why: string): Mended {
  return { isMended: false, said: `${why} It is left as it is: delete it if nobody needs it.` }
}
