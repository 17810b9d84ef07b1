import { ENTRY, IS_TOO_LARGE } from './answers.ts'
import type { Database } from './database.ts'
import { THESE } from './snapshots.ts'

// The statements of ledger.ts, each parameterised and unnamed.

/** May a forcing run ask again? Once: what it has answered itself is known to it. */
const FORCED = '($3 AND l.answered_by IS DISTINCT FROM $2::uuid)'

/** As `THESE`, for sources that are read for the first time in this claim. */
const THESE_SOURCES = 'ANY (ARRAY(SELECT md5(source) FROM given WHERE NOT is_again))'

/** A run lives as long as its heartbeat. */
export const IS_ALIVE =
  'r.ended_at IS NULL AND r.heartbeat_at > clock_timestamp() - make_interval(secs => r.dead_after_ms / 1000)'
/** After a restart of the server nobody could show a heartbeat for a while: all are given the time to. */
export const MAY_BE_ALIVE = `r.ended_at IS NULL AND greatest(r.heartbeat_at, pg_postmaster_start_time())
          > clock_timestamp() - make_interval(secs => r.dead_after_ms / 1000)`

/**
 * A claim whose run is gone, judged as `CLAIM` does when it takes one over: the run has ended, or shown no heartbeat for
 * longer than it may, though the server was there to show it to. An embedded database is its process's alone: whoever
 * else made a claim there is gone.
 */
export function isStale({ isEmbedded }: Pick<Database, 'isEmbedded'>): string {
  return isEmbedded
    ? '(l.claimed_by IS NOT NULL)'
    : `(l.claimed_by IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM ingest_runs r WHERE r.id = l.claimed_by AND ${MAY_BE_ALIVE}))`
}

/** Not of an image that was purged: it is not claimed, and its source, which may name the plate, is not noted. */
const NOT_PURGED = 'sha256 <> ALL (ARRAY(SELECT image_sha256 FROM purged))'

/**
 * One statement for many images: their sources are noted, and each is claimed unless it is answered, purged, or a living run
 * holds it. Where a dead run was asking, nobody knows whether that was billed. In the order of their SHA-256, so that two runs
 * with the same images do not wait for each other in a ring.
 * $1 images [{sha256, source, mime, size, bucket, key, seen_as, is_again, asked}], $2 run, $3 force.
 */
export const CLAIM = `
  WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS g
      (sha256 text, source text, mime text, size int, bucket text, key text, seen_as jsonb, is_again boolean, asked jsonb)
  ), purged AS MATERIALIZED (
    SELECT p.image_sha256 FROM purged_images p WHERE p.image_sha256 = ${THESE}
  ), noted AS (
    INSERT INTO image_sources (image_sha256, source, seen_as)
    SELECT sha256, source, seen_as FROM given WHERE NOT is_again AND ${NOT_PURGED} ORDER BY sha256
    ON CONFLICT (image_sha256, md5(source)) DO UPDATE SET last_seen_at = now(), seen_as = excluded.seen_as
  ), outdated AS (
    UPDATE image_sources s SET seen_as = NULL FROM given g
    WHERE md5(s.source) = ${THESE_SOURCES} AND md5(s.source) = md5(g.source)
      AND s.seen_as IS NOT NULL AND s.image_sha256 <> g.sha256
  ), had AS (
    DELETE FROM image_failures f WHERE md5(f.source) = ${THESE_SOURCES}
  ), claimed AS (
    INSERT INTO plate_lookups AS l
      (image_sha256, source, image_mime, image_size, s3_bucket, s3_key, asked, claimed_by, claimed_at)
    SELECT sha256, source, mime, size, bucket, key, asked, $2::uuid, now() FROM given
    WHERE ${NOT_PURGED} ORDER BY sha256
    ON CONFLICT (image_sha256) DO UPDATE SET
      claimed_by = excluded.claimed_by, claimed_at = now(), asking_since = NULL,
      attempts = l.attempts + (l.asking_since IS NOT NULL)::int, uncertain = l.uncertain + (l.asking_since IS NOT NULL)::int,
      source = coalesce(l.source, excluded.source),
      image_mime = coalesce(l.image_mime, excluded.image_mime), image_size = coalesce(l.image_size, excluded.image_size),
      s3_bucket = CASE WHEN l.stored_at IS NULL THEN excluded.s3_bucket ELSE l.s3_bucket END,
      s3_key = CASE WHEN l.stored_at IS NULL THEN excluded.s3_key ELSE l.s3_key END
    WHERE (l.response IS NULL OR ${FORCED})
      AND (l.claimed_by IS NULL OR l.claimed_by = excluded.claimed_by OR NOT EXISTS (
        SELECT 1 FROM ingest_runs r WHERE r.id = l.claimed_by AND ${MAY_BE_ALIVE}))
    RETURNING l.image_sha256, l.uncertain, l.unsettled, l.asked->'mended' AS mended,
      l.asked->'captured' AS captured, l.created_at = now() AS is_new,
      ${IS_TOO_LARGE} AS is_too_large,
      plate_snapshot_is_purged(l.image_sha256) AS is_purged
  )
  SELECT g.sha256, CASE WHEN p.image_sha256 IS NOT NULL THEN 'purged'
                        WHEN c.image_sha256 IS NOT NULL THEN 'mine'
                        WHEN l.response IS NULL OR ${FORCED} THEN 'busy' ELSE 'known' END AS state,
         c.uncertain, c.unsettled, c.mended, c.captured, c.is_too_large, c.is_new, c.is_purged, l.claimed_by, ${ENTRY}
  FROM given g
  LEFT JOIN purged p ON p.image_sha256 = g.sha256
  LEFT JOIN claimed c ON c.image_sha256 = g.sha256
  LEFT JOIN plate_lookups l ON l.image_sha256 = g.sha256 AND l.image_sha256 = ${THESE} AND c.image_sha256 IS NULL`

/**
 * A statement that waited while an image was purged has entered it anew, and could not see its tombstone (`is_purged` is
 * found by a look of its own): what it entered goes again. $1 SHA-256s. Gives those that are purged.
 */
export const TAKE_BACK = `
  WITH purged AS MATERIALIZED (
    SELECT image_sha256 FROM purged_images WHERE image_sha256 = ANY ($1::text[])
  ), entered AS (
    DELETE FROM plate_lookups WHERE image_sha256 = ANY (ARRAY(SELECT image_sha256 FROM purged))
  ), noted AS (
    DELETE FROM image_sources WHERE image_sha256 = ANY (ARRAY(SELECT image_sha256 FROM purged))
  )
  SELECT image_sha256 AS sha256 FROM purged`

export const KEEP_BYTES =
  'UPDATE plate_lookups SET stored_at = now(), image_data = $2 WHERE image_sha256 = $1'
/**
 * These requests are about to leave: from now on they may be billed. An image does not come back when its claim is
 * another's by now. $1 SHA-256s, $2 run.
 */
export const ASKING = `UPDATE plate_lookups SET asking_since = clock_timestamp(), stored_at = coalesce(stored_at, now())
  WHERE image_sha256 = ANY ($1::text[]) AND claimed_by = $2::uuid RETURNING image_sha256 AS sha256`
/** The request certainly brought nothing and cost nothing. */
export const NOT_ASKING =
  'UPDATE plate_lookups SET asking_since = NULL WHERE image_sha256 = $1 AND claimed_by = $2::uuid'

/** An answered image that a dead run was asking about again (--force). */
export const FREE = `UPDATE plate_lookups l SET claimed_by = NULL, claimed_at = NULL, asking_since = NULL,
  attempts = attempts + (asking_since IS NOT NULL)::int, uncertain = uncertain + (asking_since IS NOT NULL)::int
  WHERE image_sha256 = $1 AND response IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM ingest_runs r WHERE r.id = l.claimed_by AND ${MAY_BE_ALIVE})`
export const RELEASE = `UPDATE plate_lookups SET claimed_by = NULL, claimed_at = NULL, asking_since = NULL
  WHERE image_sha256 = $1 AND claimed_by = $2::uuid`
export const FAIL = `UPDATE plate_lookups SET claimed_by = NULL, claimed_at = NULL, asking_since = NULL, error = $3::jsonb,
  attempts = attempts + $4, uncertain = uncertain + $5,
  unsettled = coalesce($6::jsonb, unsettled), asked = coalesce($7::jsonb, asked)
  WHERE image_sha256 = $1 AND claimed_by = $2::uuid RETURNING 1`
/** A paid answer whose claim was lost: kept until its rows can be written, unless another is there. */
export const KEEP_ANSWER = `UPDATE plate_lookups SET unsettled = $2::jsonb, asked = coalesce($3::jsonb, asked),
  attempts = attempts + $4, uncertain = uncertain + $5 WHERE image_sha256 = $1 AND response IS NULL`

/** An entry to settle an answer in that was spooled: it is there, unless the database was set back or purged meanwhile. */
export const ENSURE = `INSERT INTO plate_lookups (image_sha256, source, image_mime, image_size, s3_bucket, s3_key)
  SELECT $1, $2, $3, $4::int, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM purged_images p WHERE p.image_sha256 = $1)
  ON CONFLICT DO NOTHING`
/** Was an image purged? */
export const IS_PURGED = 'SELECT 1 FROM purged_images WHERE image_sha256 = $1'
/** What a second answer cost: at least as much as was spent, for a claim that was taken over is counted there too. */
export const SURPLUS = `UPDATE plate_lookups SET attempts = attempts + $3, uncertain = uncertain + $4
  WHERE image_sha256 = $1 AND answered_by IS DISTINCT FROM $2::uuid`
