import { DatabaseError } from '../errors.ts'
import { type RetryPolicy, withRetry } from '../retry.ts'
import type { Database } from './database.ts'

/** A restart of the server or of a pooler in between: about 10 s in all. */
const PATIENCE: RetryPolicy = { retries: 5, firstMs: 500, factor: 2, longestMs: 8_000 }

const mayPass = (error: Error) => error instanceof DatabaseError && error.isTransient

/**
 * The same database, with a connection that failed tried again for a while: an answer that was paid for must not be lost
 * to a restart. Only for statements and transactions that do no harm when they are done twice.
 */
export function patient(database: Database, policy = PATIENCE): Database {
  const never = new AbortController().signal
  return {
    ...database,
    query: (sql, values) => withRetry(() => database.query(sql, values), policy, mayPass, never),
    transaction: (work) => withRetry(() => database.transaction(work), policy, mayPass, never),
  }
}
