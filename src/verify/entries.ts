import type { Database } from '../db/database.ts'
import { isStale } from '../db/ledger-statements.ts'

/** A ledger entry as far as it is verified: neither answers nor bytes leave the database. */
export interface Entry {
  sha256: string
  source: string | null
  mime: string | null
  /** Bytes. */
  size: number | null
  bucket: string | null
  key: string | null
  isStored: boolean
  /** By this tool, as against the older one. */
  isAnsweredHere: boolean
  hasResponse: boolean
  /** Has it a time or a run that answered it? */
  saysAnswered: boolean
  /** Does its response hold a result list? */
  isReadable: boolean
  isStale: boolean
  /** Was a request under way when its run ended? */
  wasAsking: boolean
  /** Places in the database where its bytes are or should be: its rows, and the ledger when they are there. */
  copies: number
  /** Of these: rows with neither bytes nor an object. */
  withoutBytes: number
  wrongSize: number
  /** Undefined when bytes are not read. */
  damaged: number | null
}

/** What `readResponse` can read: an object with a result list, or the bare list of 2019. */
export function readable(response: string): string {
  return `(jsonb_typeof(${response}) = 'array' OR coalesce(jsonb_typeof(${response}->'results'), '') = 'array')`
}

const PAGE_SIZE = 200

function entriesSql(database: Database, mayReadData: boolean, where: string): string {
  const damaged = `count(*) FILTER (WHERE encode(sha256(c.bytes), 'hex') <> l.image_sha256)::int`
  return `
  SELECT l.image_sha256 AS sha256, l.source, l.image_mime AS mime, l.image_size AS size,
         l.s3_bucket AS bucket, l.s3_key AS key,
         l.stored_at IS NOT NULL AS "isStored", l.answered_by IS NOT NULL AS "isAnsweredHere",
         l.response IS NOT NULL AS "hasResponse",
         l.answered_by IS NOT NULL OR l.answered_at IS NOT NULL AS "saysAnswered",
         coalesce(${readable('l.response')}, false) AS "isReadable",
         ${isStale(database)} AS "isStale", l.asking_since IS NOT NULL AS "wasAsking",
         held.copies, held.without_bytes AS "withoutBytes", held.wrong_size AS "wrongSize", held.damaged
  FROM plate_lookups l CROSS JOIN LATERAL (
    SELECT count(*)::int AS copies,
           count(*) FILTER (WHERE c.bytes IS NULL AND c.key IS NULL)::int AS without_bytes,
           count(*) FILTER (WHERE octet_length(c.bytes) <> l.image_size)::int AS wrong_size,
           ${mayReadData ? damaged : 'NULL::int'} AS damaged
    FROM (SELECT l.image_data AS bytes, NULL AS key WHERE l.image_data IS NOT NULL
          UNION ALL
          SELECT v.image_data, v.meta #>> '{s3,key}' FROM vehicle_snapshots v
          WHERE v.image_sha256 = l.image_sha256 AND v.result_index IS NOT NULL) c
  ) held
  WHERE ${where}`
}

/** The whole ledger, a page at a time, in the order of the SHA-256. */
export async function* entryPages(
  database: Database,
  mayReadData: boolean,
): AsyncGenerator<Entry[]> {
  const sql = entriesSql(
    database,
    mayReadData,
    'l.image_sha256 > $1 ORDER BY l.image_sha256 LIMIT $2',
  )
  for (let after = ''; ; ) {
    const page = await database.query<Entry>(sql, [after, PAGE_SIZE])
    yield page
    const last = page.at(-1)
    if (last === undefined) return
    after = last.sha256
  }
}

/** One image's entry. */
export async function entryOf(
  database: Database,
  mayReadData: boolean,
  sha256: string,
): Promise<Entry | undefined> {
  const entries = await database.query<Entry>(
    entriesSql(database, mayReadData, 'l.image_sha256 = $1'),
    [sha256],
  )
  return entries[0]
}
