import { inFlightFor } from '../../src/places.ts'
import { startInOwnProcess } from '../../test/support/own-process.ts'
import type { Bench } from './bench.ts'
import type { BenchDatabase } from './databases.ts'
import type { DelayingProxy } from './delaying-proxy.ts'
import { type Ran, runProgram, startCli } from './node-process.ts'
import { createQueueDatabase, enqueueList, jobStates, SCHEMA } from './queues.ts'
import { whileServing } from './server-use.ts'
import type { Swallowed } from './swallowing-servers.ts'

/** As in `throughput`. */
export const CONCURRENCY = 32
/** As the tool has it (src/stores.ts). */
const DATABASE_CONNECTIONS = 10
const EMPTY_WORKER = new URL('../empty-worker.ts', import.meta.url)
const PROXY = new URL('./delaying-proxy.ts', import.meta.url)

/** Who takes the images through. */
export interface Kind {
  name: string
  /** Worker processes; none for `ingest`. */
  workers: number
  /** pg-boss alone: nothing is done for a job. */
  isEmpty?: boolean
}

/** What one run over all images gave. */
export interface Pass {
  /** In the middle three fifths of the images. */
  perSecond: number
  /** Of the processes, and of PostgreSQL, in milliseconds an image. */
  clientMs: number
  serverMs: number
  commits: number
  walBytes: number
  /** S3 requests an image, of these with a body. */
  s3: { requests: number; puts: number }
  bytes: Record<string, number>
}

/** Images that are taken through, so many by this list, and the API that is asked about them. */
export interface Work {
  list: string
  count: number
  url: string
}

/** Takes the images through once, on a database of their own. @throws unless all came through */
export async function passOf(bench: Bench, kind: Kind, work: Work): Promise<Pass> {
  await using database = await filled(bench, kind, work)
  await bench.store.report()
  const { result: ran, used } = await whileServing(database, () =>
    run(bench, kind, work, database.url),
  )
  const { count } = work
  const swallowed = await bench.store.report()
  await seeAll(database, kind, count, swallowed)
  return {
    perSecond: await perSecondOf(database, kind),
    clientMs: (ran.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) * 1_000) / count,
    serverMs: (used.cpuSeconds * 1_000) / count,
    commits: used.commits / count,
    walBytes: used.walBytes / count,
    s3: { requests: swallowed.requests / count, puts: swallowed.bodies / count },
    bytes: await bytesOf(database, count),
  }
}

/** A database where the list waits in the queue, unless `ingest` is to read it. */
async function filled(bench: Bench, { workers }: Kind, { list }: Work): Promise<BenchDatabase> {
  const database = await createQueueDatabase(bench)
  if (workers > 0) await enqueueList(bench, database, list)
  await database.query('VACUUM ANALYZE')
  await database.query('CHECKPOINT')
  return database
}

function run(bench: Bench, kind: Kind, work: Work, databaseUrl: string): Promise<Ran[]> {
  const env = {
    ...bench.s3,
    ...{ DATABASE_URL: databaseUrl, SNAPSHOT_API_URL: `${work.url}/v1/plate-reader/` },
  }
  if (kind.isEmpty === true) {
    const settings = {
      BENCH_QUEUE_SCHEMA: SCHEMA,
      BENCH_DATABASE_CONNECTIONS: `${DATABASE_CONNECTIONS}`,
      BENCH_IN_FLIGHT: `${inFlightFor(CONCURRENCY)}`,
    }
    const options = { folder: bench.folder, env: { ...env, ...settings } }
    return runProgram(EMPTY_WORKER, options).then((ran) => [ran])
  }
  const isIngest = kind.workers === 0
  const what = isIngest ? ['ingest', '--images', work.list] : ['work', '--until-empty']
  const args = [...what, '--delay', '0', '--concurrency', `${CONCURRENCY}`, '--json', '--quiet']
  const starts = Array.from({ length: Math.max(1, kind.workers) }, async () => {
    const ran = await startCli(args, { folder: bench.folder, env }).ended
    if (ran.exitCode !== 0) throw new Error(`${kind.name} ended with ${ran.exitCode}: ${ran.said}`)
    return ran
  })
  return Promise.all(starts)
}

/** Without the beginning, when processes start, and the end, when they wait for each other. */
const PER_SECOND = (at: string, table: string) => `
  SELECT 0.6 * count(*) / extract(epoch FROM percentile_disc(0.8) WITHIN GROUP (ORDER BY ${at})
                                           - percentile_disc(0.2) WITHIN GROUP (ORDER BY ${at}))::float8 AS rate FROM ${table}`

async function perSecondOf({ query }: BenchDatabase, { workers }: Kind): Promise<number> {
  const [at, table] =
    workers > 0 ? ['completed_on', `${SCHEMA}.job`] : ['answered_at', 'plate_lookups']
  const [row] = await query<{ rate: number }>(PER_SECOND(at ?? '', table ?? ''))
  return row?.rate ?? Number.NaN
}

const SIZES = `
  SELECT CASE WHEN n.nspname = $1 THEN 'jobs' ELSE c.relname END AS name, sum(pg_total_relation_size(c.oid))::float8 AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND (n.nspname = $1 AND c.relname LIKE 'job%'
    OR n.nspname = 'public' AND c.relname IN ('vehicle_snapshots', 'plate_lookups', 'image_sources'))
  GROUP BY 1 ORDER BY 1`

async function bytesOf({ query }: BenchDatabase, count: number): Promise<Record<string, number>> {
  const rows = await query<{ name: string; bytes: number }>(SIZES, [SCHEMA])
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, bytes / count]))
}

/** A run that is fast because it left something out is none. */
async function seeAll(
  database: BenchDatabase,
  { workers, isEmpty, name }: Kind,
  count: number,
  { bodies }: Swallowed,
): Promise<void> {
  const [row] = await database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM vehicle_snapshots',
  )
  const { completed = 0 } = await jobStates(database)
  const images = isEmpty === true ? 0 : count
  if (row?.n !== images || bodies !== images || completed !== (workers > 0 ? count : 0)) {
    throw new Error(`${name}: ${completed} jobs, ${row?.n} rows and ${bodies} objects of ${count}`)
  }
}

/** Messages ReadyForQuery an image, those of opening and closing included. */
export async function roundTrips(bench: Bench, kind: Kind, work: Work): Promise<number> {
  await using database = await filled(bench, kind, work)
  const url = new URL(database.url)
  const target = { port: Number(url.port), delayMs: 0 }
  await using proxy = await startInOwnProcess<DelayingProxy>(PROXY, 'startDelayingProxy', target)
  url.port = `${proxy.port}`
  await run(bench, kind, work, url.href)
  return (await proxy.roundTrips()) / work.count
}
