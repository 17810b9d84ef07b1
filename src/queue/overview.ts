import type { PgBoss } from 'pg-boss'
import type { Database, Queryable } from '../db/database.ts'
import { DEAD_LETTERS, QUEUE, WORKER } from './boss.ts'
import { REASON } from './dead-letters.ts'

/** What the queue holds, all of it of one moment, by the database's clock. */
export interface QueueOverview {
  waiting: number
  /** Of these: not to be tried before their time. */
  later: number
  /** When the first of them is due; undefined when none is. */
  next: { at: Date; inS: number } | undefined
  atWork: number
  /** Of these: their worker has shown no sign of life for too long. */
  abandoned: number
  /** In the last 24 hours. */
  done: number
  /** What failed for good and was not put back; the most frequent reason first. */
  failed: readonly FailedLines[]
  /** Images done for good, well or not, over the last minute. */
  imagesPerSecond: number
  /** Until all is done, at that rate and not before the last is due; undefined when nothing was done. In seconds. */
  leftS: number | undefined
  workers: readonly Worker[]
}

/** Lines that failed for good, for the same reason. */
interface FailedLines {
  code: string
  lines: number
  newest: Date
}

/** A worker that is alive. */
export interface Worker {
  host: string
  processId: number
  startedAt: Date
}

// What waits may be millions of lines: it is counted in an index alone.
const WAITING = (schema: string) => `
  SELECT count(*)::int AS waiting, count(*) FILTER (WHERE start_after > now())::int AS later,
         min(start_after) FILTER (WHERE start_after > now()) AS "nextAt",
         extract(epoch FROM min(start_after) FILTER (WHERE start_after > now()) - now())::float8 AS "nextInS",
         greatest(0, extract(epoch FROM max(start_after) - now()))::float8 AS "lastInS"
  FROM ${schema}.job WHERE name = $1 AND state IN ('created', 'retry')`
const AT_WORK = (schema: string) => `
  SELECT count(*)::int AS "atWork",
         count(*) FILTER (WHERE heartbeat_on + heartbeat_seconds * interval '1 second' < now())::int AS abandoned
  FROM ${schema}.job WHERE name = $1 AND state = 'active'`
const DONE = (schema: string) => `
  SELECT count(*)::int AS done
  FROM ${schema}.job WHERE name = $1 AND completed_on > now() - interval '24 hours' AND state = 'completed'`
/** The first minute of work is counted from its beginning. */
const RATE = (schema: string) => `
  SELECT count(*)::int AS images,
         least(60, greatest(1, extract(epoch FROM now() - min(started_on))))::float8 AS seconds
  FROM ${schema}.job
  WHERE name = $1 AND completed_on > now() - interval '1 minute' AND state IN ('completed', 'failed')`
const FAILED = (schema: string) => `
  SELECT ${REASON} AS code, count(*)::int AS lines, max(created_on) AS newest
  FROM ${schema}.job WHERE name = $1 AND state < 'active' GROUP BY 1 ORDER BY lines DESC, code`

/** Each gives one row. */
const COUNTS = (schema: string) => `
  SELECT * FROM (${WAITING(schema)}) AS w, (${AT_WORK(schema)}) AS a, (${DONE(schema)}) AS d, (${RATE(schema)}) AS r`

interface Counts
  extends Pick<QueueOverview, 'waiting' | 'later' | 'atWork' | 'abandoned' | 'done'> {
  nextAt: Date | null
  nextInS: number | null
  lastInS: number
  /** So many images in so many seconds. */
  images: number
  seconds: number
}

/** Counts what the queue holds, and who works on it. */
export async function readQueueOverview(
  database: Database,
  boss: PgBoss,
  schema: string,
): Promise<QueueOverview> {
  const counts = await database.transaction(async (queryable) => {
    // Workers go on meanwhile: counts of different moments would contradict each other.
    await queryable.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    return readCounts(queryable, schema)
  })
  return { ...counts, workers: await livingWorkers(database, boss) }
}

async function readCounts(queryable: Queryable, schema: string) {
  const [counts] = await queryable.query<Counts>(COUNTS(schema), [QUEUE])
  if (counts === undefined) throw new Error('Counts are always one row.')
  const { waiting, later, atWork, abandoned, done, nextAt, nextInS, lastInS, images, seconds } =
    counts
  const imagesPerSecond = images / seconds
  const leftS = Math.max((waiting + atWork) / imagesPerSecond, lastInS)
  return {
    ...{ waiting, later, atWork, abandoned, done, imagesPerSecond },
    next: nextAt === null || nextInS === null ? undefined : { at: nextAt, inS: nextInS },
    failed: await queryable.query<FailedLines>(FAILED(schema), [DEAD_LETTERS]),
    leftS: images === 0 ? undefined : leftS,
  }
}

/** One process at a time holds the embedded database: now it is this one, which is no worker. */
async function livingWorkers(database: Database, boss: PgBoss): Promise<Worker[]> {
  if (database.isEmbedded) return []
  const instances = await boss.getInstances()
  return instances
    .filter(({ name, live }) => live && name === WORKER)
    .map(({ host, pid, startedOn }) => ({ host, processId: pid, startedAt: startedOn }))
}
