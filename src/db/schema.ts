import { readFile } from 'node:fs/promises'
import { DatabaseError } from '../errors.ts'
import type { Database } from './database.ts'

/** The schema this version reads and writes, as the last lines of db_schema.sql enter it. */
const SCHEMA_VERSION = 5

const SCHEMA_FILE = new URL('../../db_schema.sql', import.meta.url)

/** Applies db_schema.sql, which is safe to run again. */
export async function applySchema(database: Database): Promise<void> {
  await database.execute(await readFile(SCHEMA_FILE, 'utf8'))
}

/** The version of the schema the database has; 0 when there is none. */
export async function schemaVersion(database: Database): Promise<number> {
  try {
    const rows = await database.query<{ version: number }>(
      'SELECT version FROM plate_snapshot_schema',
    )
    return rows[0]?.version ?? 0
  } catch (thrown) {
    if (thrown instanceof DatabaseError && thrown.code === 'schema_missing') return 0
    throw thrown
  }
}

/**
 * Makes sure that the database has this version's schema: an embedded one gets it, a server's is only looked at.
 * @throws {DatabaseError} `schema_missing`, `schema_old`, `schema_new`, naming the command that helps
 */
export async function requireSchema(database: Database): Promise<void> {
  const version = await schemaVersion(database)
  if (version === SCHEMA_VERSION) return
  if (version > SCHEMA_VERSION) {
    const message = `${database.name} was made by a newer plate-snapshot (schema ${version}, this one knows ${SCHEMA_VERSION}).`
    throw new DatabaseError('schema_new', message)
  }
  if (database.isEmbedded) return applySchema(database)
  if (version === 0) {
    const has = (await hasOlderTable(database))
      ? 'has a vehicle_snapshots table that was not upgraded yet'
      : 'has no plate-snapshot tables yet'
    throw new DatabaseError('schema_missing', `${database.name} ${has}.`)
  }
  const message = `${database.name} has schema ${version}; this plate-snapshot needs ${SCHEMA_VERSION}.`
  throw new DatabaseError('schema_old', message)
}

/**
 * Makes sure that there is a database to read, with this version's schema: a wrong working directory must not pass for an
 * empty one. @throws {DatabaseError} `folder_unusable`, and as `requireSchema`
 */
export async function requireThere(database: Database): Promise<void> {
  if (!database.isNew) return requireSchema(database)
  const hint = 'Run it where the database is, or name it in DATABASE_URL.'
  const message = `There is no database yet: ${database.name}.`
  throw new DatabaseError('folder_unusable', message, { hint })
}

/** Is there a table of the older tool's? */
async function hasOlderTable(database: Database): Promise<boolean> {
  const rows = await database.query<{ found: boolean }>(
    "SELECT to_regclass('vehicle_snapshots') IS NOT NULL AS found",
  )
  return rows[0]?.found === true
}
