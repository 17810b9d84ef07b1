import { DatabaseError } from '../errors.ts'
import type { Outage } from '../outage.ts'
import type { Database } from './database.ts'

/**
 * The same database, whose short absence is waited out: a restart of the server, of a pooler, of the network between.
 * Only for statements, scripts and transactions that do no harm when they are done twice.
 */
export function patient(database: Database, { through }: Outage): Database {
  return {
    ...database,
    query: (sql, values) => through(() => database.query(sql, values)),
    transaction: (work) => through(() => database.transaction(work)),
    execute: (script) => through(() => database.execute(script)),
  }
}

/** Did the connection fail, and not the statement? */
export function isAway(error: unknown): boolean {
  return error instanceof DatabaseError && error.isTransient
}

/** A statement that ends its connection each time, while others go through: it fails its image and nothing else. */
export function sickStatement(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error
  const message = `${error.message} Others go through at the same time.`
  return new DatabaseError('database_failed', message, { cause: error })
}
