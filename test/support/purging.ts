import type { Database } from '../../src/db/database.ts'
import { NOTHING, type Purging, purgeImages, sumOf } from '../../src/db/purge.ts'
import type { PurgeFilter } from '../../src/db/purge-match.ts'
import { nameOf } from '../../src/db/snapshots.ts'

/** A purge to its end: what went, and the objects that it deleted (nothing else does). */
export async function purgeBy(
  database: Database,
  filter: PurgeFilter,
  changes: Partial<Purging> = {},
) {
  const removed: string[] = []
  const remove: Purging['remove'] = async (objects) => void removed.push(...objects.map(nameOf))
  let purged = NOTHING
  const purging = { filter, remove, leavesTombstones: true, ...changes }
  for await (const batch of purgeImages(database, purging)) purged = sumOf(purged, batch)
  return { purged, removed }
}

const TABLES = `SELECT table_name AS name FROM information_schema.tables
  WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name`

/** All that a database holds, tombstones left out, as one text. */
export async function everything(database: Pick<Database, 'query'>): Promise<string> {
  const tables = await database.query<{ name: string }>(TABLES)
  const texts = tables
    .filter(({ name }) => name !== 'purged_images')
    .map(({ name }) => database.query(`SELECT row_to_json(t)::text AS text FROM ${name} t`))
  return JSON.stringify(await Promise.all(texts))
}
