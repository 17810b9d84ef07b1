import { z } from 'zod'
import { maybe, s3Object } from '../stored-values.ts'
import type { Queryable } from './database.ts'
import { OBJECT_OF, type S3Object } from './snapshots.ts'

/** A row, its `image_url` where that looks like a signed link, and the image's object where one is known. */
export interface LinkRow {
  id: string
  url?: string | undefined
  object?: S3Object | undefined
}

const PAGE_SIZE = 500
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000'
// Rows without a link come too: a condition on it would have PostgreSQL read and sort the whole table for each page, where
// nobody has analyzed it, as in an embedded database.
const PAGE = `
  SELECT v.id::text, CASE WHEN v.image_url ~* '[?&](x-amz-date|awsaccesskeyid)=' THEN v.image_url END AS url,
         ${OBJECT_OF} AS object
  FROM vehicle_snapshots v LEFT JOIN plate_lookups l ON l.image_sha256 = v.image_sha256
  WHERE v.id > $1::uuid ORDER BY v.id LIMIT ${PAGE_SIZE}`

const linkRow = z.object({
  id: z.string(),
  url: maybe(z.string()),
  object: maybe(s3Object),
})

/** All rows, a page at a time. */
export async function* linkPages(database: Queryable): AsyncGenerator<LinkRow[]> {
  for (let after = BEFORE_ALL; ; ) {
    const page = await database.query(PAGE, [after])
    const rows = page.map((row) => linkRow.parse(row))
    yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_SIZE) return
    after = last.id
  }
}

/**
 * $1 [{id, old, new}]. A row that somebody else is just writing, or has written, is theirs: it is not waited for, so that
 * neither ever waits for the other in a circle.
 */
const REPLACE = `
  WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS g (id uuid, old text, new text)
  ), free AS MATERIALIZED (
    SELECT v.id FROM vehicle_snapshots v JOIN given g ON g.id = v.id AND g.old = v.image_url
    WHERE v.id = ANY (ARRAY(SELECT id FROM given))  -- see THESE in snapshots.ts
    FOR UPDATE OF v SKIP LOCKED
  )
  UPDATE vehicle_snapshots v SET image_url = g.new, updated_at = now()
  FROM free f JOIN given g USING (id)
  WHERE v.id = f.id
  RETURNING v.id`

/** Gives rows new links, all in one statement. @returns how many still had their old one and got the new */
export async function replaceLinks(
  database: Queryable,
  links: readonly { id: string; old: string; new: string }[],
): Promise<number> {
  if (links.length === 0) return 0
  return (await database.query(REPLACE, [JSON.stringify(links)])).length
}
