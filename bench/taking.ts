import { Client } from 'pg'
import type { PgBoss } from 'pg-boss'
import { QUEUE } from '../src/queue/boss.ts'
import type { Bench } from './support/bench.ts'
import type { BenchDatabase } from './support/databases.ts'
import { lookAfter } from './support/look-after.ts'
import { type Measurement, median, noted, percent } from './support/measurement.ts'
import {
  createQueueDatabase,
  enqueueList,
  fillQueue,
  JOBS_IN_HAND,
  openBoss,
  SCHEMA,
} from './support/queues.ts'
import { whileServing } from './support/server-use.ts'

const WAITING = [1_000, 100_000, 1_000_000] as const
/** Jobs taken, one after another, for one figure. */
const TAKEN = 500
/** Jobs that were taken and done before, with nothing tidied up since. */
const DONE = 50_000
/** What makes a job one that is done, as its worker leaves it. */
const DONE_ROW = {
  ...{ state: 'completed', started_on: 'now', heartbeat_on: 'now' },
  completed_on: 'now',
  output: { outcome: 'stored', sha256: '0'.repeat(64), rows: 1, lookup: true, ms: 412 },
}
const AT_ONCE = 1_000

/** What it costs to take one job out of a short and a long queue, and to look after it. */
export async function taking(bench: Bench): Promise<Measurement[]> {
  const measured: Measurement[] = [await outOfNothing(bench)]
  for (const full of WAITING) {
    const waiting = full === WAITING[0] ? full : bench.sized(full)
    measured.push(...(await outOf(bench, waiting)))
  }
  measured.push(...(await amongDone(bench, bench.sized(WAITING[2]))))
  return measured
}

/** What a worker does that has nothing to do: each of its places looks once a second. */
async function outOfNothing(bench: Bench): Promise<Measurement> {
  await using database = await createQueueDatabase(bench)
  await using open = await openBoss(database)
  const look = async () => void (await open.boss.fetch(QUEUE))
  const looked = await timed(database, look)
  const share = (JOBS_IN_HAND * looked.cpuMs) / 1_000
  return noted(
    'taking from an empty queue',
    `${looked.median.toFixed(2)} ms`,
    `${told(looked, 'nothing there')} A worker with nothing to do looks ${JOBS_IN_HAND} times a second: ${percent(share)} of a core of PostgreSQL's.`,
  )
}

async function outOf(bench: Bench, waiting: number): Promise<Measurement[]> {
  await using database = await createQueueDatabase(bench)
  await enqueueList(bench, database, await bench.list(['/srv/cameras/gate-12/first.jpg']))
  // What autovacuum does comes when it will; here nothing is tidied up but what is said.
  await database.query(`ALTER TABLE ${SCHEMA}.job_common SET (autovacuum_enabled = off)`)
  await using open = await openBoss(database)
  const { boss } = open
  await fillQueue(database, waiting - 1 + TAKEN, 'fresh-')
  await database.query(`VACUUM ANALYZE ${SCHEMA}.job_common`)
  const fresh = await take(boss, database)
  const passes = await lookAfter(boss, database, `${waiting} waiting`)

  const done = bench.sized(DONE)
  await fillQueue(database, done + TAKEN, 'done-')
  await finish(boss, done)
  const after = await take(boss, database)

  await fillQueue(database, done + TAKEN, 'pinned-')
  const pinned = await pinningOld(database, async () => {
    await finish(boss, done)
    return take(boss, database)
  })

  const name = `taking from ${waiting}`
  return [
    noted(name, `${fresh.median.toFixed(2)} ms`, told(fresh, 'none done before')),
    noted(
      `${name}, ${done} done before`,
      `${after.median.toFixed(2)} ms`,
      told(after, 'not vacuumed since'),
    ),
    noted(
      `${name}, an old snapshot open`,
      `${pinned.median.toFixed(2)} ms`,
      told(pinned, `${done} done since a transaction began that is still open`),
    ),
    ...passes,
  ]
}

/** Jobs that are done stay for a day, and are counted as well. */
async function amongDone(bench: Bench, done: number): Promise<Measurement[]> {
  await using database = await createQueueDatabase(bench)
  await enqueueList(bench, database, await bench.list(['/srv/cameras/gate-12/first.jpg']))
  await fillQueue(database, done, 'done-', DONE_ROW)
  await fillQueue(database, WAITING[0], 'fresh-')
  await database.query(`VACUUM ANALYZE ${SCHEMA}.job_common`)
  await using open = await openBoss(database)
  const { boss } = open
  const taken = await take(boss, database)
  const name = `${WAITING[0]} waiting beside ${done} done`
  const passes = await lookAfter(boss, database, name)
  return [
    noted(`taking from ${name}`, `${taken.median.toFixed(2)} ms`, told(taken, 'vacuumed')),
    ...passes,
  ]
}

interface Taken {
  median: number
  worst: number
  cpuMs: number
}

const told = ({ worst, cpuMs }: Taken, what: string) =>
  `Median of ${TAKEN}, 99 % within ${worst.toFixed(2)} ms, ${cpuMs.toFixed(2)} ms of PostgreSQL's processor time; ${what}.`

/** One job after another, each by a statement of its own; all of them are done afterwards. */
async function take(boss: PgBoss, database: BenchDatabase): Promise<Taken> {
  const ids: string[] = []
  const taken = await timed(database, async () => {
    const [job] = await boss.fetch(QUEUE)
    if (job === undefined) throw new Error('the queue is empty')
    ids.push(job.id)
  })
  await boss.complete(QUEUE, ids)
  return taken
}

async function timed(database: BenchDatabase, once: () => Promise<void>): Promise<Taken> {
  const ms: number[] = []
  const { used } = await whileServing(database, async () => {
    for (let turn = 0; turn < TAKEN; turn += 1) {
      const from = performance.now()
      await once()
      ms.push(performance.now() - from)
    }
  })
  const sorted = ms.toSorted((a, b) => a - b)
  const worst = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  return { median: median(ms), worst, cpuMs: (used.cpuSeconds * 1_000) / TAKEN }
}

/** Takes so many and says that they are done. */
async function finish(boss: PgBoss, count: number): Promise<void> {
  for (let left = count; left > 0; left -= AT_ONCE) {
    const jobs = await boss.fetch(QUEUE, { batchSize: Math.min(left, AT_ONCE) })
    await boss.complete(
      QUEUE,
      jobs.map(({ id }) => id),
      DONE_ROW.output,
    )
  }
}

/** As a dump of the database does: what has died since it began cannot be cleared away. */
async function pinningOld<T>({ url }: BenchDatabase, work: () => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await client.query('SELECT count(*) FROM pg_class')
    return await work()
  } finally {
    await client.end()
  }
}
