-- plate-snapshot: everything its tables need. Safe to run again, also on a table that the older Python tool made:
-- it only adds. Apply it with `plate-snapshot migrate` or `psql -v ON_ERROR_STOP=1 -f db_schema.sql "$DATABASE_URL"`.
-- PostgreSQL 13 or newer; no extension is needed.

BEGIN;
SET LOCAL client_min_messages = warning;

-- Two migrations at once would trip over each other's tables.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(7528316605); END $$;

-- One row for each vehicle kept: an image with three plates gives three rows.
CREATE TABLE IF NOT EXISTS vehicle_snapshots (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid()
);
ALTER TABLE vehicle_snapshots
  ADD COLUMN IF NOT EXISTS snapshot_ref text,          -- the API's uuid, else filename, else the image's SHA-256
  ADD COLUMN IF NOT EXISTS camera_id text,
  ADD COLUMN IF NOT EXISTS captured_at timestamptz,
  ADD COLUMN IF NOT EXISTS plate_text text,            -- as the API wrote it
  ADD COLUMN IF NOT EXISTS plate_confidence numeric,   -- the reading score, 0 to 1
  ADD COLUMN IF NOT EXISTS makes_models jsonb,         -- [{make, model, score}]
  ADD COLUMN IF NOT EXISTS colors jsonb,               -- [{color, score}]
  ADD COLUMN IF NOT EXISTS bbox jsonb,                 -- {xmin, ymin, xmax, ymax} of the plate, in pixels
  ADD COLUMN IF NOT EXISTS raw_response jsonb,         -- the whole answer
  ADD COLUMN IF NOT EXISTS image_url text,
  ADD COLUMN IF NOT EXISTS image_data bytea,           -- STORE_IMAGES=db only
  ADD COLUMN IF NOT EXISTS image_mime text,
  ADD COLUMN IF NOT EXISTS image_size integer,         -- bytes
  ADD COLUMN IF NOT EXISTS image_sha256 text,          -- lower-case hex
  ADD COLUMN IF NOT EXISTS meta jsonb,
  ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now(),
  ADD COLUMN IF NOT EXISTS updated_at timestamptz DEFAULT now(),
  ADD COLUMN IF NOT EXISTS result_index integer;       -- place in the answer's results, from 0; null: an older tool's row

-- A vehicle without a plate has no text and no score; an older table may have forbidden that.
ALTER TABLE vehicle_snapshots
  ALTER COLUMN snapshot_ref DROP NOT NULL,
  ALTER COLUMN camera_id DROP NOT NULL,
  ALTER COLUMN captured_at DROP NOT NULL,
  ALTER COLUMN plate_text DROP NOT NULL,
  ALTER COLUMN plate_confidence DROP NOT NULL,
  ALTER COLUMN makes_models DROP NOT NULL,
  ALTER COLUMN colors DROP NOT NULL,
  ALTER COLUMN bbox DROP NOT NULL,
  ALTER COLUMN image_url DROP NOT NULL,
  ALTER COLUMN image_data DROP NOT NULL;

CREATE INDEX IF NOT EXISTS idx_vehicle_plate_text ON vehicle_snapshots (plate_text);
CREATE INDEX IF NOT EXISTS idx_vehicle_created_at ON vehicle_snapshots (created_at);
CREATE INDEX IF NOT EXISTS idx_vehicle_makes_models_jsonb ON vehicle_snapshots USING gin (makes_models);
CREATE INDEX IF NOT EXISTS idx_vehicle_image_sha256 ON vehicle_snapshots (image_sha256);
CREATE UNIQUE INDEX IF NOT EXISTS idx_vehicle_image_result
  ON vehicle_snapshots (image_sha256, result_index) WHERE result_index IS NOT NULL;

-- For `plates`: newest first, of one camera, by the beginning of a plate or a region, by all guesses at make, model and color,
-- and by all readings of a plate, in which characters that are taken for each other (0 and O) are one and blanks, dashes and
-- dots none. Texts are cut where they may be longer than an index entry can be.
CREATE INDEX IF NOT EXISTS idx_vehicle_seen_at
  ON vehicle_snapshots ((coalesce(captured_at, created_at)) DESC NULLS LAST, id);
CREATE INDEX IF NOT EXISTS idx_vehicle_camera
  ON vehicle_snapshots ((left(camera_id, 100)), (coalesce(captured_at, created_at)) DESC NULLS LAST, id);
CREATE INDEX IF NOT EXISTS idx_vehicle_plate_pattern
  ON vehicle_snapshots ((left(translate(lower(plate_text), ' -.', ''), 100)) text_pattern_ops);
CREATE INDEX IF NOT EXISTS idx_vehicle_region
  ON vehicle_snapshots ((left(lower(meta #>> '{region,code}'), 100)) text_pattern_ops);
CREATE INDEX IF NOT EXISTS idx_vehicle_guesses ON vehicle_snapshots USING gin (
  (lower(makes_models::text)::jsonb) jsonb_path_ops,
  (lower(colors::text)::jsonb) jsonb_path_ops,
  (string_to_array(left(translate(
    lower(coalesce(plate_text, '') || ',' || coalesce(jsonb_path_query_array(meta, '$.candidates[*].plate')::text, '')),
    'odqilzsgb -."[]', '000112568'), 600), ','))
);
-- With fewer, the planner takes every make and model for one in a hundred rows, and rather looks through the newest.
ALTER INDEX idx_vehicle_guesses ALTER COLUMN 1 SET STATISTICS 300;

-- The ledger: one row for each image ever stored or asked about, whether or not a row above came of it.
--   response set     answered: it is never bought again
--   claimed_by set   a run is at work on it (see ingest_runs)
--   error set        the last try failed (image_failures has the failed sources, also those that never had a SHA-256)
CREATE TABLE IF NOT EXISTS plate_lookups (
  image_sha256 text PRIMARY KEY,
  source text,                                -- the first path or URL that held these bytes
  image_mime text,
  image_size integer,
  s3_bucket text,                             -- the stored object; the ledger owns it, rows or not
  s3_key text,
  stored_at timestamptz,                      -- when its bytes were confirmed stored
  image_data bytea,                           -- STORE_IMAGES=db: the bytes, as long as no row holds them
  asked jsonb,                                -- {regions, mmc, config, camera_id, meta}; mended: what of the answer was replaced
  response jsonb,                             -- the whole answer
  answered_at timestamptz,
  answered_by uuid,                           -- the run that asked
  unsettled jsonb,                            -- a paid answer whose rows were refused: used before anything is asked
  attempts integer NOT NULL DEFAULT 0,        -- requests sent
  uncertain integer NOT NULL DEFAULT 0,       -- of these: answer lost, perhaps billed
  error jsonb,                                -- {code, message}
  claimed_by uuid,
  claimed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE plate_lookups
  -- set while a request may be under way: after a crash nobody knows whether it was billed
  ADD COLUMN IF NOT EXISTS asking_since timestamptz;
-- `purge --older-than` goes by when an image was first stored or asked about.
CREATE INDEX IF NOT EXISTS idx_plate_lookups_created_at ON plate_lookups (created_at);

-- Images that were purged, and that are neither stored nor asked about again.
CREATE TABLE IF NOT EXISTS purged_images (
  image_sha256 text PRIMARY KEY,
  purged_at timestamptz NOT NULL DEFAULT now()
);
-- For a statement that has waited while an image was purged, and cannot see its tombstone: this looks again.
CREATE OR REPLACE FUNCTION plate_snapshot_is_purged(sha256 text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS
$$ BEGIN RETURN EXISTS (SELECT FROM purged_images p WHERE p.image_sha256 = sha256); END $$;

-- Every path and URL that ever held an image; several of one image are duplicates.
CREATE TABLE IF NOT EXISTS image_sources (
  image_sha256 text NOT NULL,
  source text NOT NULL,                       -- without credentials and signatures
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now()  -- when it was last read
);
ALTER TABLE image_sources
  -- what tells that the source still holds this image: {size, mtime, inode} or {etag, last_modified}
  ADD COLUMN IF NOT EXISTS seen_as jsonb;
-- A URL may be longer than an index entry can be.
CREATE UNIQUE INDEX IF NOT EXISTS idx_image_sources ON image_sources (image_sha256, md5(source));
CREATE INDEX IF NOT EXISTS idx_image_sources_source ON image_sources (md5(source));
DROP INDEX IF EXISTS idx_image_sources_seen;  -- until schema 3, and of some only

-- Sources that failed when they were last tried, and why: gone from here as soon as their image is had.
CREATE TABLE IF NOT EXISTS image_failures (
  source text NOT NULL,                       -- without credentials and signatures
  code text NOT NULL,
  message text NOT NULL,
  failed_at timestamptz NOT NULL DEFAULT now(),
  times integer NOT NULL DEFAULT 1            -- how often in a row
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_image_failures ON image_failures (md5(source));

-- Who is at work: a claim counts as long as its run's heartbeat does.
CREATE TABLE IF NOT EXISTS ingest_runs (
  id uuid PRIMARY KEY,
  machine text NOT NULL,                      -- host name, boot and process namespace: where a process id means something
  process_id integer NOT NULL,
  process_started text NOT NULL,              -- process ids come round again
  account text,                               -- which API key it spends, as a digest
  delay_ms double precision DEFAULT 0,        -- between its requests; null: a worker, which keeps to api_pace.delay_ms
  started_at timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
ALTER TABLE ingest_runs
  ALTER COLUMN delay_ms DROP NOT NULL,        -- until schema 4
  ADD COLUMN IF NOT EXISTS dead_after_ms double precision NOT NULL DEFAULT 30000,   -- without a heartbeat
  ADD COLUMN IF NOT EXISTS summary jsonb,     -- what it did, as --json has it; null: it was cut off
  ADD COLUMN IF NOT EXISTS confidence_threshold double precision;   -- that it made rows by

CREATE INDEX IF NOT EXISTS idx_ingest_runs_open ON ingest_runs (account) WHERE ended_at IS NULL;

-- The next free moment for a lookup on an account, for all processes that share it.
CREATE TABLE IF NOT EXISTS api_pace (
  account text PRIMARY KEY,
  next_at timestamptz NOT NULL
);
ALTER TABLE api_pace
  ADD COLUMN IF NOT EXISTS spacing_ms double precision,     -- between the moments that were taken last
  ADD COLUMN IF NOT EXISTS paused_until timestamptz,        -- the end of the pause that the last 429s asked for
  ADD COLUMN IF NOT EXISTS learned_ms double precision,     -- a spacing learned from 429s, for all to keep to
  ADD COLUMN IF NOT EXISTS learned_at timestamptz,          -- without a renewal it counts for a minute
  ADD COLUMN IF NOT EXISTS learned_by uuid,                 -- the run that learned it
  ADD COLUMN IF NOT EXISTS delay_ms double precision,       -- what the account's workers keep to; null: 500
  ADD COLUMN IF NOT EXISTS refused_at timestamptz,          -- when the API last refused the key: all who are at work then stop
  ADD COLUMN IF NOT EXISTS refused_status integer,          -- and with which HTTP status
  ADD COLUMN IF NOT EXISTS failures integer NOT NULL DEFAULT 0,     -- requests in a row that failed for want of the API
  ADD COLUMN IF NOT EXISTS failures_paused_at timestamptz;  -- when they last made everybody wait

-- `database_id`: the same database is the same under any host name; answers spooled to a file find it again by this.
CREATE TABLE IF NOT EXISTS plate_snapshot_schema (version integer NOT NULL);
ALTER TABLE plate_snapshot_schema
  ADD COLUMN IF NOT EXISTS database_id uuid NOT NULL DEFAULT gen_random_uuid();

-- What the older tool bought is never bought again: its rows' answers enter the ledger, the newest for each image, and
-- every source it had an image from is noted.
WITH older AS NOT MATERIALIZED (
  SELECT
    image_sha256,
    coalesce(meta->>'source',
      regexp_replace(CASE WHEN image_url ~* '[?&]([a-z-]*signature|sig)=' THEN split_part(image_url, '?', 1)
                          ELSE image_url END, '//[^/@]*@', '//')) AS source,
    image_mime, image_size, meta #>> '{s3,bucket}' AS s3_bucket, meta #>> '{s3,key}' AS s3_key, raw_response,
    created_at
  FROM vehicle_snapshots
  WHERE result_index IS NULL
    AND image_sha256 ~ '^[0-9a-f]{64}$'
    AND (jsonb_typeof(raw_response) = 'array' OR jsonb_typeof(raw_response->'results') = 'array')
), entered AS (
  INSERT INTO plate_lookups
    (image_sha256, source, image_mime, image_size, s3_bucket, s3_key, stored_at, response, answered_at, attempts,
     created_at)
  SELECT DISTINCT ON (image_sha256)
    image_sha256, source, image_mime, image_size, s3_bucket, s3_key, created_at, raw_response,
    coalesce(created_at, now()), 1, coalesce(created_at, now())
  FROM older
  ORDER BY image_sha256, created_at DESC NULLS LAST
  ON CONFLICT DO NOTHING
)
INSERT INTO image_sources (image_sha256, source, first_seen_at, last_seen_at)
SELECT image_sha256, source, coalesce(min(created_at), now()), coalesce(max(created_at), now())
FROM older
WHERE source IS NOT NULL
GROUP BY image_sha256, source
ON CONFLICT DO NOTHING;

-- An older row that says what one of its answer's results says is that result's row; the oldest of equals is taken.
-- So the plates that the older tool left out can be added beside it. All others stay as they are, with no index.
WITH results AS (
  SELECT l.image_sha256, r.place - 1 AS place,
         coalesce(r.result #>> '{plate,props,plate,0,value}', r.result->>'plate') AS plate
  FROM plate_lookups l
  CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(l.response) = 'array' THEN l.response ELSE l.response->'results' END
  ) WITH ORDINALITY AS r (result, place)
  WHERE l.answered_by IS NULL AND l.response IS NOT NULL
), pairs AS (
  SELECT v.id, r.image_sha256, r.place,
         row_number() OVER (PARTITION BY v.id ORDER BY r.place) AS choice,
         row_number() OVER (PARTITION BY r.image_sha256, r.place ORDER BY v.created_at, v.id) AS turn
  FROM vehicle_snapshots v JOIN results r USING (image_sha256)
  WHERE v.result_index IS NULL AND lower(v.plate_text) = lower(r.plate)
)
UPDATE vehicle_snapshots v SET result_index = p.place
FROM pairs p
WHERE v.id = p.id AND p.choice = 1 AND p.turn = 1
  AND NOT EXISTS (SELECT 1 FROM vehicle_snapshots o
                  WHERE o.image_sha256 = p.image_sha256 AND o.result_index = p.place);

-- Before schema 4 they entered it as of the day of the migration.
UPDATE plate_lookups SET created_at = stored_at WHERE answered_by IS NULL AND stored_at < created_at;

INSERT INTO plate_snapshot_schema (version) SELECT 5 WHERE NOT EXISTS (SELECT 1 FROM plate_snapshot_schema);
UPDATE plate_snapshot_schema SET version = 5 WHERE version < 5;

COMMIT;
