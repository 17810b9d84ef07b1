import type { ConstructorOptions, Db, PgBoss } from 'pg-boss'
import type { Database, Queryable } from '../db/database.ts'
import { DatabaseError } from '../errors.ts'

/** The queue of lines that wait. */
export const QUEUE = 'plate-snapshot'
/** Where lines go that failed for good, each with its reason. */
export const DEAD_LETTERS = 'plate-snapshot-failed'
/** What workers are called among pg-boss's instances. */
export const WORKER = 'plate-snapshot work'

/** What pg-boss is told beyond its database. */
export type BossOptions = Pick<
  ConstructorOptions,
  | 'instanceHeartbeatSeconds'
  | 'instanceName'
  | 'maintenanceIntervalSeconds'
  | 'migrate'
  | 'monitorIntervalSeconds'
  | 'registerInstance'
  | 'supervise'
  | 'superviseIntervalSeconds'
>

/** pg-boss over the connections that are there already: it opens none, and looks after nothing unless told to. */
export async function createBoss(
  database: Database,
  schema: string,
  options: BossOptions = {},
): Promise<PgBoss> {
  const { PgBoss } = await import('pg-boss')
  return new PgBoss({
    ...{ schema, db: bossDatabase(database) },
    backend: database.isEmbedded ? 'pglite' : 'postgres',
    ...{ migrate: false, supervise: false, schedule: false, registerInstance: false },
    // Both are for an operator's hands: they take an owner's rights, and longer than a statement may here.
    ...{ reindex: false, monitorVacuum: false },
    ...options,
  })
}

/** A database as pg-boss takes it. */
function bossDatabase(database: Database): Db {
  return {
    async executeSql(text, values = []) {
      // Without values it may be a script.
      const run = () => (values.length > 0 ? database.query(text, values) : database.execute(text))
      return { rows: await run().catch(throwDriverError) }
    },
  }
}

/** A transaction that pg-boss's own statements are to be part of. */
export function withinTransaction(transaction: Queryable): { db: Db } {
  return {
    db: {
      async executeSql(text, values) {
        return { rows: await transaction.query(text, values) }
      },
    },
  }
}

/** pg-boss goes by PostgreSQL's codes; that the database is away is told in our own words. */
function throwDriverError(thrown: unknown): never {
  const isOurs = thrown instanceof DatabaseError && !thrown.isTransient
  throw isOurs && thrown.cause instanceof Error ? thrown.cause : thrown
}
