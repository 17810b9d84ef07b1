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
  | 'createSchema'
  | 'instanceHeartbeatSeconds'
  | 'instanceName'
  | 'maintenanceIntervalSeconds'
  | 'migrate'
  | 'monitorIntervalSeconds'
  | 'registerInstance'
  | 'supervise'
  | 'superviseIntervalSeconds'
>

/**
 * pg-boss over the connections that are there already: it opens none, and looks after nothing unless told to.
 * @param onTrouble hears of what fails in the background: it comes again by itself, unless it is a `DatabaseError` that
 * concerns the whole run
 */
export async function createBoss(
  database: Database,
  schema: string,
  options: BossOptions = {},
  onTrouble: (error: Error) => void = () => {},
): Promise<PgBoss> {
  const { PgBoss } = await import('pg-boss')
  const boss = new PgBoss({
    ...{ schema, db: bossDatabase(database, onTrouble) },
    backend: database.isEmbedded ? 'pglite' : 'postgres',
    ...{ migrate: false, supervise: false, schedule: false, registerInstance: false },
    // Both are for an operator's hands: they take an owner's rights, and longer than a statement may here.
    ...{ reindex: false, monitorVacuum: false },
    ...options,
  })
  boss.on('error', onTrouble)
  return boss
}

/** A database as pg-boss takes it, which tells of its failures in words of its own. */
function bossDatabase(database: Database, onTrouble: (error: Error) => void): Db {
  return {
    async executeSql(text, values = []) {
      try {
        // Without values it may be a script.
        const rows =
          values.length > 0 ? await database.query(text, values) : await database.execute(text)
        return { rows }
      } catch (thrown) {
        if (thrown instanceof DatabaseError && thrown.scope === 'run') onTrouble(thrown)
        throw driverError(thrown)
      }
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

/** pg-boss goes by PostgreSQL's codes; what concerns all statements, as a database that is away, is told in our own words. */
function driverError(thrown: unknown): unknown {
  const isOfOne = thrown instanceof DatabaseError && thrown.scope === 'image'
  return isOfOne && thrown.cause instanceof Error ? thrown.cause : thrown
}
