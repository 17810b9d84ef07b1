import type { Database, Queryable } from '../db/database.ts'
import { isStale } from '../db/ledger-statements.ts'
import type { S3Object } from '../db/snapshots.ts'
import { readable } from './entries.ts'

// What `--repair` writes. Each statement does nothing where what it mends has mended itself meanwhile.

const CONFIRM =
  'UPDATE plate_lookups SET stored_at = now() WHERE image_sha256 = $1 AND stored_at IS NULL'

/** $2 the bytes, $3 do rows without bytes get them? */
const KEEP_IN_ROWS = `
  UPDATE vehicle_snapshots SET image_data = $2, updated_at = now()
  WHERE image_sha256 = $1 AND result_index IS NOT NULL
    AND CASE WHEN image_data IS NULL THEN $3::boolean ELSE encode(sha256(image_data), 'hex') <> $1 END`
/** The ledger keeps bytes only as long as no row does. */
const KEEP_IN_LEDGER = `
  UPDATE plate_lookups SET stored_at = coalesce(stored_at, now()),
    image_data = CASE WHEN EXISTS (SELECT 1 FROM vehicle_snapshots v WHERE v.image_sha256 = $1
                                   AND v.result_index IS NOT NULL AND v.image_data IS NOT NULL)
                 THEN NULL ELSE $2::bytea END
  WHERE image_sha256 = $1`

/** An image's ledger entry, or only its answer, from the newest of its rows, as db_schema.sql does for older rows. */
const ENTER_FROM_ROW = `
  WITH newest AS (
    SELECT v.*, v.meta->>'source' AS source FROM vehicle_snapshots v
    WHERE v.image_sha256 = $1 AND v.result_index IS NOT NULL AND ${readable('v.raw_response')}
    ORDER BY v.updated_at DESC NULLS LAST, v.id LIMIT 1
  ), noted AS (
    INSERT INTO image_sources (image_sha256, source)
    SELECT image_sha256, source FROM newest WHERE source IS NOT NULL
    ON CONFLICT DO NOTHING
  )
  INSERT INTO plate_lookups AS l
    (image_sha256, source, image_mime, image_size, s3_bucket, s3_key, stored_at, response, answered_at, attempts)
  SELECT image_sha256, source, image_mime, image_size, meta #>> '{s3,bucket}', meta #>> '{s3,key}', now(),
         raw_response, coalesce(created_at, now()), 1
  FROM newest
  ON CONFLICT (image_sha256) DO UPDATE SET response = excluded.response,
    answered_at = coalesce(l.answered_at, excluded.answered_at), attempts = greatest(l.attempts, 1)
  WHERE l.response IS NULL OR NOT coalesce(${readable('l.response')}, false)
  RETURNING 1`
const HAS_ANSWER = `
  SELECT 1 FROM plate_lookups l WHERE image_sha256 = $1 AND coalesce(${readable('l.response')}, false)`

/** $2 bucket, $3 key, $4 MIME type, $5 size. What was purged does not come back. */
const ADOPT = `
  INSERT INTO plate_lookups AS l (image_sha256, s3_bucket, s3_key, image_mime, image_size, stored_at)
  SELECT $1, $2, $3, $4, $5::int, now() WHERE NOT EXISTS (SELECT 1 FROM purged_images p WHERE p.image_sha256 = $1)
  ON CONFLICT (image_sha256) DO UPDATE SET s3_bucket = excluded.s3_bucket, s3_key = excluded.s3_key,
    stored_at = coalesce(l.stored_at, now()),
    image_mime = coalesce(l.image_mime, excluded.image_mime), image_size = coalesce(l.image_size, excluded.image_size)
  WHERE l.s3_key IS NULL OR (l.s3_bucket = excluded.s3_bucket AND l.s3_key = excluded.s3_key)
  RETURNING 1`

/** $1 the row's id, $2 bucket, $3 key, $4 the link. */
const POINT = `
  UPDATE vehicle_snapshots SET image_url = $4, updated_at = now(),
    meta = jsonb_set(coalesce(meta, '{}'), '{s3}', jsonb_build_object('bucket', $2::text, 'key', $3::text))
  WHERE id = $1::uuid`

/** A request that was under way may have been billed: it counts. */
const releaseSql = (database: Database) => `
  UPDATE plate_lookups l SET claimed_by = NULL, claimed_at = NULL,
    attempts = attempts + (asking_since IS NOT NULL)::int, uncertain = uncertain + (asking_since IS NOT NULL)::int,
    asking_since = NULL
  WHERE image_sha256 = $1 AND ${isStale(database)}`

/** Notes that an image is stored. */
export async function confirmStored(database: Queryable, sha256: string): Promise<void> {
  await database.query(CONFIRM, [sha256])
}

/** Puts an image's bytes wherever the database has others, or, with `mayFill`, none. */
export async function keepBytes(
  database: Database,
  sha256: string,
  bytes: Uint8Array,
  mayFill: boolean,
): Promise<void> {
  await database.transaction(async (queryable) => {
    await queryable.query(KEEP_IN_ROWS, [sha256, bytes, String(mayFill)])
    await queryable.query(KEEP_IN_LEDGER, [sha256, bytes])
  })
}

/** Gives an image its answer back from a row. @returns has it one now, and is it this call's doing? */
export async function answerFromRow(database: Queryable, sha256: string) {
  const isNew = (await database.query(ENTER_FROM_ROW, [sha256])).length > 0
  return { isNew, isAnswered: (await database.query(HAS_ANSWER, [sha256])).length > 0 }
}

/** Lets the ledger own an object that was seen to be the image. @returns false when it has another for it, or a purge took the image */
export async function adoptObject(
  database: Queryable,
  { bucket, key }: S3Object,
  image: { sha256: string; mime: string | undefined; size: number },
): Promise<boolean> {
  const values = [image.sha256, bucket, key, image.mime, image.size]
  return (await database.query(ADOPT, values)).length > 0
}

/** Lets a row name an object, and its link. */
export async function pointRow(
  database: Queryable,
  id: string,
  { bucket, key }: S3Object,
  url: string,
): Promise<void> {
  await database.query(POINT, [id, bucket, key, url])
}

/** Gives the claim of a dead run back. */
export async function releaseClaim(database: Database, sha256: string): Promise<void> {
  await database.query(releaseSql(database), [sha256])
}
