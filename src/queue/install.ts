import type { Queue } from 'pg-boss'
import type { Database } from '../db/database.ts'
import { DatabaseError, messageOf, systemCodeOf } from '../errors.ts'
import { type BossOptions, createBoss, DEAD_LETTERS, QUEUE } from './boss.ts'

const DAY_S = 86_400
/** A line waits as long as it has to: 90 days of the paid rate are 60 million of them. */
const RETENTION_S = 3_650 * DAY_S

/**
 * How the queue is made; what an operator changes later with pg-boss's own tools stays. A job is given up as lost a few
 * seconds after the last sign of life of its worker, and may otherwise take as long as pg-boss lets it.
 */
const OPTIONS: Omit<Queue, 'name'> = {
  policy: 'exclusive',
  deadLetter: DEAD_LETTERS,
  retryLimit: 5,
  retryDelay: 5,
  retryBackoff: true,
  retryDelayMax: 600,
  heartbeatSeconds: 12,
  expireInSeconds: DAY_S,
  retentionSeconds: RETENTION_S,
  deleteAfterSeconds: DAY_S,
}

const IS_MISSING = 'SELECT to_regnamespace($1) IS NULL AS "isMissing"'

/** `unique_violation`: so PostgreSQL tells the later of two that CREATE something at once, IF NOT EXISTS or not. */
const MADE_MEANWHILE = '23505'

/** What `migrate` found, in the words of its report. */
export type QueueSchema = 'made' | 'upgraded' | 'there'

/** Queues of others in a schema of pg-boss's; its own begin with two underscores. */
const OTHERS = (schema: string) =>
  `SELECT name FROM ${schema}.queue WHERE name <> ALL ($1::text[]) AND name NOT LIKE '\\_\\_%' LIMIT 1`

/**
 * Brings pg-boss's schema to the version of the pg-boss that is installed, and makes the queue.
 * @throws {DatabaseError} `schema_old` where that would upgrade the queue of another program under its feet
 */
export async function installQueue(database: Database, schema: string): Promise<QueueSchema> {
  // A role may have a schema of its own, and no right to make one: PostgreSQL asks for that first, IF NOT EXISTS or not.
  const [found] = await database.query<{ isMissing: boolean }>(IS_MISSING, [schema])
  const createSchema = found?.isMissing === true
  const boss = await createBoss(database, schema, { migrate: true, createSchema })
  const before = (await boss.isInstalled()) ? await boss.schemaVersion() : null
  const isCurrent = before !== null && (await isReady(database, schema))
  if (before !== null && !isCurrent) await requireOwn(database, schema)
  try {
    await boss.start()
  } catch (thrown) {
    if (systemCodeOf(thrown) !== MADE_MEANWHILE) throw thrown
    return installQueue(database, schema)
  }
  try {
    await boss.createQueue(DEAD_LETTERS, { retentionSeconds: RETENTION_S })
    await boss.createQueue(QUEUE, OPTIONS)
  } finally {
    await boss.stop()
  }
  if (before === null) return 'made'
  return isCurrent ? 'there' : 'upgraded'
}

async function requireOwn(database: Database, schema: string): Promise<void> {
  const others = await database.query<{ name: string }>(OTHERS(schema), [[QUEUE, DEAD_LETTERS]])
  const [other] = others
  if (other === undefined) return
  throw new DatabaseError(
    'schema_old',
    `The schema ${schema} of ${database.name} holds a queue of another program (${other.name}), made by another version of pg-boss.`,
    { hint: 'Name a schema of its own in PGBOSS_SCHEMA, for example plate_snapshot_queue.' },
  )
}

async function isReady(database: Database, schema: string): Promise<boolean> {
  const boss = await createBoss(database, schema)
  try {
    await boss.start()
    return true
  } catch (thrown) {
    if (thrown instanceof DatabaseError) throw thrown
    return false
  } finally {
    await boss.stop()
  }
}

/**
 * pg-boss on a database whose queue is there: an embedded one gets it, a server's is only looked at. To be stopped.
 * @param onTrouble hears of what fails in the background
 * @throws {DatabaseError} `schema_missing`, `schema_old`, naming the command that helps
 */
export async function openQueue(
  database: Database,
  schema: string,
  onTrouble: (error: Error) => void,
  options: BossOptions = {},
) {
  if (database.isEmbedded) await installQueue(database, schema)
  const boss = await createBoss(database, schema, options, onTrouble)
  if (!(await boss.isInstalled())) {
    throw new DatabaseError('schema_missing', `${database.name} has no queue yet.`)
  }
  try {
    await boss.start()
    if ((await boss.getQueue(QUEUE)) !== null) return boss
  } catch (thrown) {
    if (thrown instanceof DatabaseError) throw thrown
    const message = `The queue of ${database.name} is of another version: ${messageOf(thrown)}.`
    throw new DatabaseError('schema_old', message, { cause: thrown })
  }
  await boss.stop()
  throw new DatabaseError('schema_missing', `${database.name} has no queue yet.`)
}
