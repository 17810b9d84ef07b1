import { ANSWER, PLATE } from './answer.ts'
import type { BenchDatabase } from './databases.ts'
import { eachOf } from './each-of.ts'

/** A source whose image an earlier run has looked up; `seenAs` is what that run remembers of the file. */
export interface KnownSource {
  source: string
  sha256: string
  size: number
  seenAs?: SeenAs
}

/** What tells that a file is unchanged: nanoseconds since the epoch and the inode as decimal text. */
type SeenAs = { size: number; mtime: string; inode: string }

const PAGE = 10_000

/** `n` numbers the images, `is_answered` says whether the ledger has the answer, or only the source. */
const STAGE = `CREATE TABLE bench_known
  (n int, image_sha256 text, source text, size int, seen_as jsonb, is_answered boolean)`

const SOURCES = (column: string, value: string) => `
  INSERT INTO image_sources (image_sha256, source${column}) SELECT image_sha256, source${value} FROM bench_known`

/** $1 the run. */
const LOOKUPS = `
  INSERT INTO plate_lookups (image_sha256, source, image_mime, image_size, s3_bucket, s3_key, stored_at, asked, response,
                             answered_at, answered_by, attempts)
  SELECT image_sha256, source, 'image/jpeg', size, 'bench',
         'vehicle-snapshots/' || left(image_sha256, 2) || '/' || image_sha256 || '.jpg', now(),
         '{"regions": [], "mmc": false, "config": null, "camera_id": null}',
         replace('${ANSWER}', '${PLATE}', 'b' || n)::jsonb, now(), $1, 1
  FROM bench_known WHERE is_answered`

const ROWS = `
  INSERT INTO vehicle_snapshots (snapshot_ref, captured_at, plate_text, plate_confidence, makes_models, colors, bbox,
                                 raw_response, image_url, image_mime, image_size, image_sha256, meta, result_index, created_at)
  SELECT 'p' || n || '.jpeg', now() - make_interval(secs => n), 'b' || n, 0.5 + (n % 500) / 1000.0,
         jsonb_build_array(jsonb_build_object('make', 'Make ' || n % 40, 'model', 'Model ' || n % 400, 'score', 0.9)),
         jsonb_build_array(jsonb_build_object('color', 'color ' || n % 12, 'score', 0.8)),
         '{"xmin": 297, "ymin": 311, "xmax": 687, "ymax": 498}',
         replace('${ANSWER}', '${PLATE}', 'b' || n)::jsonb,
         's3://bench/vehicle-snapshots/' || left(image_sha256, 2) || '/' || image_sha256 || '.jpg', 'image/jpeg', size,
         image_sha256,
         jsonb_build_object('source', source, 'region', jsonb_build_object('code', 'ca-qc', 'score', 0.796), 'dscore',
                            0.896, 'candidates', jsonb_build_array(jsonb_build_object('plate', 'b' || n, 'score', 1))),
         0, now() - make_interval(secs => n)
  FROM bench_known WHERE is_answered`

/** They are made again when the tables are full, which takes half the time; the entries' key is needed at once. */
const INDEXES = `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
  WHERE schemaname = 'public' AND tablename IN ('vehicle_snapshots', 'image_sources') AND indexname NOT LIKE '%_pkey'`

/**
 * Fills the ledger as earlier runs would have left it, with one row an image.
 * @param stage fills the table `bench_known` of `STAGE`
 */
export async function enterKnown(
  { query }: BenchDatabase,
  stage: (query: BenchDatabase['query']) => Promise<unknown>,
): Promise<void> {
  await query(STAGE)
  await stage(query)
  const [run] = await query<{ id: string }>(`
    INSERT INTO ingest_runs (id, machine, process_id, process_started, ended_at)
    VALUES (gen_random_uuid(), 'bench', 1, '', now()) RETURNING id`)
  const remembered = await query(
    "SELECT 1 FROM information_schema.columns WHERE table_name = 'image_sources' AND column_name = 'seen_as'",
  )
  const sources = remembered.length > 0 ? SOURCES(', seen_as', ', seen_as') : SOURCES('', '')
  const indexes = await query<{ name: string; definition: string }>(INDEXES)
  for (const { name } of indexes) await query(`DROP INDEX ${name}`)
  await Promise.all([query(sources), query(LOOKUPS, [run?.id]), query(ROWS)])
  await eachOf(indexes, 2, async ({ definition }) => void (await query(definition)))
  await query('DROP TABLE bench_known')
  await query('VACUUM ANALYZE')
  // What was written is on the disk: no run is measured while the server still writes it.
  await query('CHECKPOINT')
}

/** Puts sources into `bench_known`, with an answer each. */
export async function stageSources(
  query: BenchDatabase['query'],
  sources: readonly KnownSource[],
): Promise<void> {
  for (let first = 0; first < sources.length; first += PAGE) {
    const page = sources.slice(first, first + PAGE)
    await query(
      `INSERT INTO bench_known
       SELECT $1::int + place, s.sha256, s.source, s.size, s."seenAs", true
       FROM ROWS FROM (jsonb_to_recordset($2) AS (sha256 text, source text, size int, "seenAs" jsonb))
         WITH ORDINALITY AS s (sha256, source, size, "seenAs", place)`,
      [first, JSON.stringify(page)],
    )
  }
}
