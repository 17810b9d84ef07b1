import { ENTRY } from './answers.ts'

// The statements of ledger.ts, each parameterised and unnamed.

/** May a forcing run ask again? Once: what it has answered itself is known to it. */
const FORCED = '($7 AND l.answered_by IS DISTINCT FROM $6::uuid)'

/** A run lives as long as its heartbeat. */
export const IS_ALIVE =
  'r.ended_at IS NULL AND r.heartbeat_at > clock_timestamp() - make_interval(secs => r.dead_after_ms / 1000)'
/** After a restart of the server nobody could show a heartbeat for a while: all are given the time to. */
export const MAY_BE_ALIVE = `r.ended_at IS NULL AND greatest(r.heartbeat_at, pg_postmaster_start_time())
          > clock_timestamp() - make_interval(secs => r.dead_after_ms / 1000)`

/**
 * One statement: the source is noted, and the image is claimed unless it is answered or a living run holds it. Where a
 * dead run was asking, nobody knows whether that was billed.
 * $1 sha256, $2 source, $3 mime, $4 size, $5 asked, $6 run, $7 force, $8 bucket, $9 key.
 */
export const CLAIM = `
  WITH noted AS (
    INSERT INTO image_sources (image_sha256, source) VALUES ($1, $2)
    ON CONFLICT (image_sha256, md5(source)) DO UPDATE SET last_seen_at = now()
  ), had AS (
    DELETE FROM image_failures WHERE md5(source) = md5($2)
  ), claimed AS (
    INSERT INTO plate_lookups AS l
      (image_sha256, source, image_mime, image_size, s3_bucket, s3_key, asked, claimed_by, claimed_at)
    VALUES ($1, $2, $3, $4::int, $8, $9, $5::jsonb, $6::uuid, now())
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
    RETURNING l.uncertain, l.unsettled
  )
  SELECT 'mine' AS state, uncertain, unsettled, NULL::uuid AS claimed_by, NULL AS image_sha256, NULL AS source, NULL AS image_mime,
         NULL::int AS image_size, NULL AS s3_bucket, NULL AS s3_key, NULL::jsonb AS asked, NULL::jsonb AS response, NULL AS answered_at,
         NULL::int[] AS row_places
  FROM claimed
  UNION ALL
  SELECT CASE WHEN l.response IS NULL OR ${FORCED} THEN 'busy' ELSE 'known' END, l.uncertain, l.unsettled, l.claimed_by, ${ENTRY}
  FROM plate_lookups l WHERE l.image_sha256 = $1 AND NOT EXISTS (SELECT 1 FROM claimed)`

export const KEEP_BYTES =
  'UPDATE plate_lookups SET stored_at = now(), image_data = $2 WHERE image_sha256 = $1'
/** The request is about to leave: from now on it may be billed. Nothing comes back when the claim is another's by now. */
export const ASKING = `UPDATE plate_lookups SET asking_since = clock_timestamp(), stored_at = coalesce(stored_at, now())
  WHERE image_sha256 = $1 AND claimed_by = $2::uuid RETURNING 1`
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

/** An entry to settle an answer in that was spooled: it is there, unless the database was set back meanwhile. */
export const ENSURE = `INSERT INTO plate_lookups (image_sha256, source, image_mime, image_size, s3_bucket, s3_key)
  VALUES ($1, $2, $3, $4::int, $5, $6) ON CONFLICT DO NOTHING`
/** Nothing comes back when the claim was lost and another run's answer is there that is not older ($9; null: now). */
export const ANSWER = `UPDATE plate_lookups SET asked = coalesce($3::jsonb, asked), response = $4::jsonb, unsettled = NULL,
  answered_at = coalesce($9::timestamptz, now()), stored_at = coalesce(stored_at, now()), s3_bucket = coalesce($7, s3_bucket), s3_key = coalesce($8, s3_key),
  answered_by = $2::uuid, attempts = attempts + $5, uncertain = uncertain + $6, error = NULL,
  claimed_by = NULL, claimed_at = NULL, asking_since = NULL
  WHERE image_sha256 = $1 AND (claimed_by = $2::uuid OR response IS NULL OR answered_at < $9::timestamptz) RETURNING 1`
/** What a second answer cost: at least as much as was spent, for a claim that was taken over is counted there too. */
export const SURPLUS = `UPDATE plate_lookups SET attempts = attempts + $3, uncertain = uncertain + $4
  WHERE image_sha256 = $1 AND answered_by IS DISTINCT FROM $2::uuid`
export const PLACES = `SELECT result_index AS place FROM vehicle_snapshots
  WHERE image_sha256 = $1 AND result_index IS NOT NULL`
