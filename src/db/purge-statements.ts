// The statements of purge.ts: $1 the SHA-256s and $2 the ids of rows that are images of their own, as JSON lists.

const THESE = 'ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb)))'
const THESE_ROWS = `(v.image_sha256 = ${THESE} OR v.id = ANY (ARRAY(SELECT jsonb_array_elements_text($2::jsonb)::uuid)))`

/** Their entries are locked: only a run that found another image behind the same source may be at these. */
export const LOCK_SOURCES = `SELECT 1 FROM image_sources WHERE image_sha256 = ${THESE} FOR UPDATE NOWAIT`

/** What failed of the sources of these images. */
export const FAILURES = `
  WITH named AS (
    SELECT source FROM image_sources WHERE image_sha256 = ${THESE}
    UNION SELECT source FROM plate_lookups WHERE image_sha256 = ${THESE}
    UNION SELECT v.meta->>'source' FROM vehicle_snapshots v WHERE ${THESE_ROWS}
  )
  SELECT f.source FROM image_failures f WHERE md5(f.source) = ANY (ARRAY(SELECT md5(source) FROM named))
  FOR UPDATE OF f NOWAIT`

/** $2 sources as a JSON list: those that another image is known from. */
export const HELD_SOURCES = `
  WITH seen AS MATERIALIZED (
    SELECT g.source, s.image_sha256 FROM jsonb_array_elements_text($2::jsonb) AS g (source)
    JOIN image_sources s ON md5(s.source) = md5(g.source)
  )
  SELECT DISTINCT source FROM seen WHERE NOT image_sha256 = ${THESE}`

/** Every object that the ledger or a row names. */
export const OBJECTS = `
  SELECT * FROM (
    SELECT image_sha256 AS sha256, s3_bucket AS bucket, s3_key AS key FROM plate_lookups WHERE image_sha256 = ${THESE}
    UNION
    SELECT v.image_sha256, v.meta #>> '{s3,bucket}', v.meta #>> '{s3,key}' FROM vehicle_snapshots v WHERE ${THESE_ROWS}
  ) o WHERE bucket IS NOT NULL AND key IS NOT NULL`

/** $3 objects as a JSON list: those that images beside these name too. */
export const OTHER_OWNERS = `
  WITH given AS MATERIALIZED (
    SELECT DISTINCT bucket, key FROM jsonb_to_recordset($3::jsonb) AS g (bucket text, key text)
  )
  SELECT bucket, key FROM given g JOIN plate_lookups l ON l.s3_key = g.key AND l.s3_bucket = g.bucket
  WHERE NOT l.image_sha256 = ${THESE}
  UNION
  SELECT bucket, key FROM given g
  JOIN vehicle_snapshots v ON v.meta #>> '{s3,key}' = g.key AND v.meta #>> '{s3,bucket}' = g.bucket
  WHERE NOT coalesce(${THESE_ROWS}, false)`

/** All that there is of them. $3 the entries to go, as a JSON list, $4 failed sources likewise, $5 leave tombstones? */
export const DELETE = `
  WITH rows AS (
    DELETE FROM vehicle_snapshots v WHERE ${THESE_ROWS} RETURNING 1
  ), sources AS (
    DELETE FROM image_sources WHERE image_sha256 = ${THESE} RETURNING 1
  ), failures AS (
    DELETE FROM image_failures WHERE md5(source) = ANY (ARRAY(
      SELECT md5(source) FROM jsonb_array_elements_text($4::jsonb) AS g (source))) RETURNING 1
  ), entries AS (
    DELETE FROM plate_lookups WHERE image_sha256 = ANY (ARRAY(SELECT jsonb_array_elements_text($3::jsonb)))
  ), tombstones AS (
    INSERT INTO purged_images (image_sha256)
    SELECT sha256 FROM jsonb_array_elements_text($1::jsonb) AS g (sha256)
    WHERE $5::boolean AND sha256 ~ '^[0-9a-f]{64}$'
    ORDER BY sha256 ON CONFLICT (image_sha256) DO UPDATE SET purged_at = excluded.purged_at RETURNING 1
  )
  SELECT (SELECT count(*) FROM rows)::int AS rows, (SELECT count(*) FROM sources)::int AS sources,
         (SELECT count(*) FROM failures)::int AS failures, (SELECT count(*) FROM tombstones)::int AS tombstones`

/** $1 since when. */
export const OLD_FAILURES = `
  WITH gone AS (DELETE FROM image_failures WHERE failed_at < $1::timestamptz RETURNING 1)
  SELECT count(*)::int AS n FROM gone`
