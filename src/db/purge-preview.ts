import type { Database } from './database.ts'
import type { Purged } from './purge.ts'
import {
  anyRow,
  finiteAge,
  type ImageKind,
  imageKinds,
  matching,
  type PurgeFilter,
} from './purge-match.ts'

/** What a purge would take, and what it would leave because a living run is at work on it. */
export interface PurgePreview extends Purged {
  inUse: number
}

/** Images of all kinds that match: `sha256` or `id`, age, size in bytes, and is a living run at work on it? */
function imagesSql(database: Database, filter: PurgeFilter) {
  const values: string[] = []
  const parts = imageKinds(database).map((kind) => {
    const condition = matching(kind, filter, values.length + 1)
    values.push(...condition.values)
    const [sha256, id] = kind.keyType === 'uuid' ? ['NULL', kind.key] : [kind.key, 'NULL::uuid']
    return `SELECT ${sha256} AS sha256, ${id} AS id, ${finiteAge(kind)} AS age, ${kind.size} AS size,
      ${kind.isTaken} AS is_taken FROM ${kind.from} WHERE ${kind.isOne} AND ${condition.sql}`
  })
  return { sql: parts.join('\n UNION ALL '), values }
}

/** Counts what a purge would take, inside the database: nothing of it is read. */
export async function previewPurge(database: Database, filter: PurgeFilter): Promise<PurgePreview> {
  const { before, cameras, plates } = filter
  const images = imagesSql(database, filter)
  const isByAge = before !== undefined && cameras === undefined && plates === undefined
  const oldFailures = isByAge ? `f.failed_at < $${images.values.length + 1}::timestamptz` : 'false'
  const values = [...images.values, ...(isByAge ? [before.toISOString()] : [])]
  const [counted] = await database.query<Counted>(countsSql(images.sql, oldFailures), values)
  if (counted === undefined) throw new Error('An aggregate gave no row.')
  const { oldest, newest, ...counts } = counted
  return { ...counts, oldest: oldest ?? undefined, newest: newest ?? undefined }
}

type Counted = Omit<PurgePreview, 'oldest' | 'newest'> & Record<'oldest' | 'newest', Date | null>

function countsSql(images: string, oldFailures: string): string {
  return `
  WITH images AS MATERIALIZED (${images}
  ), going AS MATERIALIZED (
    SELECT * FROM images WHERE NOT is_taken
  ), rows AS (
    SELECT v.meta FROM vehicle_snapshots v JOIN going g ON g.sha256 = v.image_sha256
    UNION ALL
    SELECT v.meta FROM vehicle_snapshots v JOIN going g ON g.id = v.id
  ), objects AS (
    SELECT l.s3_bucket AS bucket, l.s3_key AS key FROM plate_lookups l JOIN going g ON g.sha256 = l.image_sha256
    UNION
    SELECT meta #>> '{s3,bucket}', meta #>> '{s3,key}' FROM rows
  ), sources AS (
    SELECT s.source FROM image_sources s JOIN going g ON g.sha256 = s.image_sha256
  ), named AS (
    SELECT md5(source) AS source FROM sources
    UNION SELECT md5(l.source) FROM plate_lookups l JOIN going g ON g.sha256 = l.image_sha256
    UNION SELECT md5(meta->>'source') FROM rows
  ), held AS (
    SELECT DISTINCT md5(s.source) AS source FROM image_sources s
    WHERE NOT EXISTS (SELECT 1 FROM going g WHERE g.sha256 = s.image_sha256)
  ), failures AS (
    SELECT 1 FROM image_failures f
    LEFT JOIN named n ON n.source = md5(f.source)
    LEFT JOIN held h ON h.source = md5(f.source)
    WHERE ${oldFailures} OR (n.source IS NOT NULL AND h.source IS NULL)
  )
  SELECT count(*) FILTER (WHERE NOT is_taken)::int AS images, count(*) FILTER (WHERE is_taken)::int AS "inUse",
         coalesce(sum(size) FILTER (WHERE NOT is_taken), 0)::float8 AS bytes,
         min(age) FILTER (WHERE NOT is_taken) AS oldest, max(age) FILTER (WHERE NOT is_taken) AS newest,
         count(*) FILTER (WHERE NOT is_taken AND sha256 ~ '^[0-9a-f]{64}$')::int AS tombstones,
         (SELECT count(*) FROM rows)::int AS rows,
         (SELECT count(*) FROM objects WHERE bucket IS NOT NULL AND key IS NOT NULL)::int AS objects,
         (SELECT count(*) FROM sources)::int AS sources, (SELECT count(*) FROM failures)::int AS failures
  FROM images`
}

/** Images that match and that a living run is at work on. */
export function countInUse(database: Database, filter: PurgeFilter): Promise<number> {
  return countWhere(database, filter, ({ isTaken }) => isTaken)
}

/** Images that match and have an object. */
export function countInS3(database: Database, filter: PurgeFilter): Promise<number> {
  return countWhere(database, filter, (kind) => {
    const inRows = anyRow(kind, `v.meta #>> '{s3,key}' IS NOT NULL`)
    return kind.hasEntry ? `(l.s3_key IS NOT NULL OR ${inRows})` : inRows
  })
}

async function countWhere(
  database: Database,
  filter: PurgeFilter,
  isCounted: (kind: ImageKind) => string,
): Promise<number> {
  let count = 0
  for (const kind of imageKinds(database)) {
    const { sql, values } = matching(kind, filter, 1)
    const of = `SELECT count(*)::int AS n FROM ${kind.from} WHERE ${kind.isOne} AND ${isCounted(kind)} AND ${sql}`
    count += (await database.query<{ n: number }>(of, values))[0]?.n ?? 0
  }
  return count
}
