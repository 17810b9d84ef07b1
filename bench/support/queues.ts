import { openServerDatabase } from '../../src/db/server.ts'
import { type BossOptions, createBoss } from '../../src/queue/boss.ts'
import type { Bench } from './bench.ts'
import type { BenchDatabase } from './databases.ts'
import { type Ran, runCli } from './node-process.ts'

/** Where `migrate` puts pg-boss's tables. */
export const SCHEMA = 'pgboss'
/** Images of one `work` with its default `--concurrency` between their job and their rows. */
export const JOBS_IN_HAND = 12

/** A database of its own with tables and queue, as `plate-snapshot migrate` makes them. */
export async function createQueueDatabase(bench: Bench): Promise<BenchDatabase> {
  const database = await bench.createDatabase()
  await runCli(['migrate'], { folder: bench.folder, env: { DATABASE_URL: database.url } })
  return database
}

/** Puts a list into the queue by `plate-snapshot enqueue`. @param heapMb the most that V8 may have for what lives on */
export function enqueueList(
  bench: Bench,
  { url }: BenchDatabase,
  list: string,
  { flags = [], heapMb }: { flags?: readonly string[]; heapMb?: number } = {},
): Promise<Ran> {
  const args = ['enqueue', '--images', list, '--quiet', ...flags]
  const held = heapMb === undefined ? {} : { NODE_OPTIONS: `--max-old-space-size=${heapMb}` }
  return runCli(args, { folder: bench.folder, env: { DATABASE_URL: url, ...held } })
}

/** pg-boss on the queue of a database, over connections of this process. */
export async function openBoss({ url }: BenchDatabase, options: BossOptions = {}) {
  const database = openServerDatabase(url, 2)
  const boss = await createBoss(database, SCHEMA, options)
  await boss.start()
  return {
    boss,
    async [Symbol.asyncDispose]() {
      await boss.stop()
      await database.close()
    },
  }
}

/** How many jobs are in which state, those of all queues. */
export async function jobStates({ query }: BenchDatabase): Promise<Record<string, number>> {
  const rows = await query<{ state: string; n: number }>(
    `SELECT state::text, count(*)::int AS n FROM ${SCHEMA}.job GROUP BY state`,
  )
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]))
}

/** Each a copy of the one that `enqueue` has put, older than all that are there. $1 how many, $2 a name, $3 other columns. */
const FILL = `
  INSERT INTO ${SCHEMA}.job
  SELECT filled.* FROM (SELECT j FROM ${SCHEMA}.job j WHERE state = 'created' LIMIT 1) one, generate_series(1, $1::int) n,
    LATERAL jsonb_populate_record(one.j, jsonb_build_object(
      'id', gen_random_uuid(),
      'singleton_key', left(encode(sha256(($2 || n)::bytea), 'base64'), 22),
      'created_on', (SELECT min(created_on) FROM ${SCHEMA}.job) - make_interval(secs => ($1 - n + 1) * 0.001),
      'data', (one.j).data || jsonb_build_object('image', '/srv/cameras/gate-12/2026-11-23/' || $2 || lpad(n::text, 10, '0') || '.jpg')
    ) || $3::jsonb) filled`

/** Adds jobs before all that are there: as `enqueue` puts them, only faster. @param columns in what they differ from one that waits */
export async function fillQueue(
  { query }: BenchDatabase,
  count: number,
  name: string,
  columns: object = {},
): Promise<void> {
  await query(FILL, [count, name, columns])
  await query(`ANALYZE ${SCHEMA}.job`)
}
