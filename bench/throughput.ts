import type { Bench } from './support/bench.ts'
import {
  atLeast,
  atMost,
  listed,
  type Measurement,
  median,
  noted,
  percent,
  perSecond,
  times,
} from './support/measurement.ts'
import { type Ran, runCli, runProgram } from './support/node-process.ts'

const IMAGES = 5_000
/** For both, at both latencies: beyond it the loop gains less than a tenth. */
const CONCURRENCY = 32
const ROUNDS = 3
/** As the tool has it (src/stores.ts). */
const DATABASE_CONNECTIONS = 10
const LOOP = new URL('./loop.ts', import.meta.url)

type Setting = { latencyMs: number; concurrency: number }

/** Images a second, processor time and memory against a hand-written loop, at two latencies of the API. */
export async function throughput(bench: Bench): Promise<Measurement[]> {
  const count = bench.sized(IMAGES)
  const list = await bench.list(await bench.images(0, count))
  const fast = await sideBySide(bench, list, count, 0)
  const slow = await sideBySide(bench, list, count, 50)
  const name = (latencyMs: number) => `throughput at ${latencyMs} ms`
  const rates = ({ loop, cli, concurrency }: Rounds) =>
    `Images/s of the loop ${listed(loop.map(rateOf(count)), 0)}, of the tool ${listed(cli.map(rateOf(count)), 0)}; ${count} images a run, concurrency ${concurrency}.`
  const cpu = ({ loop, cli }: Rounds) =>
    `Milliseconds of processor time an image: loop ${listed(loop.map(cpuOf(count)), 2)}, tool ${listed(cli.map(cpuOf(count)), 2)}.`
  const peak = (ran: readonly Ran[]) => Math.max(...ran.map(({ peakRssMb }) => peakRssMb))
  const loopRate = median(fast.loop.map(rateOf(count)))
  return [
    atLeast('loop alone', loopRate, 250, perSecond, 'The hand-written loop, at 0 ms.'),
    ...[fast, slow].map((rounds) =>
      atLeast(
        name(rounds.latencyMs),
        ratio(rounds.cli.map(rateOf(count)), rounds.loop.map(rateOf(count))),
        rounds.latencyMs === 0 ? 0.85 : 0.95,
        percent,
        rates(rounds),
      ),
    ),
    ...[fast, slow].map((rounds) =>
      atMost(
        `processor time at ${rounds.latencyMs} ms`,
        ratio(rounds.cli.map(cpuOf(count)), rounds.loop.map(cpuOf(count))),
        1.5,
        times,
        cpu(rounds),
      ),
    ),
    noted(
      'memory beside the loop',
      `${peak(fast.cli).toFixed(0)} MB`,
      `Peak RSS at 0 ms: loop ${peak(fast.loop).toFixed(0)} MB, tool ${peak(fast.cli).toFixed(0)} MB.`,
    ),
  ]
}

const rateOf = (count: number) => (ran: Ran) => count / ran.seconds
const cpuOf = (count: number) => (ran: Ran) => (ran.cpuSeconds * 1_000) / count
const ratio = (ours: readonly number[], theirs: readonly number[]) => median(ours) / median(theirs)

type Rounds = Setting & { loop: Ran[]; cli: Ran[] }

/** Loop and tool by turns, each time on a database of its own; who begins changes too. */
async function sideBySide(
  bench: Bench,
  list: string,
  count: number,
  latencyMs: number,
): Promise<Rounds> {
  await using sdk = await bench.startSdk(latencyMs)
  const rounds: Rounds = { latencyMs, concurrency: CONCURRENCY, loop: [], cli: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    const turns = round % 2 === 0 ? (['loop', 'cli'] as const) : (['cli', 'loop'] as const)
    for (const turn of turns) {
      const run = turn === 'loop' ? runLoop : runTool
      rounds[turn].push(await run(bench, { list, count, concurrency: CONCURRENCY, url: sdk.url }))
    }
  }
  return rounds
}

interface Work {
  list: string
  count: number
  concurrency: number
  url: string
}

async function runLoop(bench: Bench, { list, count, concurrency, url }: Work): Promise<Ran> {
  await using database = await bench.createDatabase()
  const env = {
    ...envOf(bench, database.url, url),
    BENCH_LIST: list,
    BENCH_CONCURRENCY: `${concurrency}`,
    BENCH_DATABASE_CONNECTIONS: `${Math.min(concurrency + 1, DATABASE_CONNECTIONS)}`,
  }
  await bench.store.report()
  const ran = await runProgram(LOOP, { folder: bench.folder, env })
  await seeAll(bench, database.query, count)
  return ran
}

/** The tool on a fresh database. @throws unless every image came through */
async function runTool(bench: Bench, { list, count, concurrency, url }: Work): Promise<Ran> {
  await using database = await bench.createDatabase()
  const args = ['--images', list, '--delay', '0', '--concurrency', `${concurrency}`, '--quiet']
  await bench.store.report()
  const env = envOf(bench, database.url, url)
  const ran = await runCli(args, { folder: bench.folder, env })
  await seeAll(bench, database.query, count)
  return ran
}

function envOf(bench: Bench, databaseUrl: string, url: string): Record<string, string> {
  return { ...bench.s3, DATABASE_URL: databaseUrl, SNAPSHOT_API_URL: `${url}/v1/plate-reader/` }
}

/** A run that is fast because it left something out is none. */
async function seeAll(
  bench: Bench,
  query: (sql: string) => Promise<object[]>,
  count: number,
): Promise<void> {
  const [row] = await query('SELECT count(*)::int AS n FROM vehicle_snapshots')
  const { bodies } = await bench.store.report()
  const rows = Object.values(row ?? {})[0]
  if (rows !== count || bodies !== count) {
    throw new Error(`of ${count} images ${rows} rows and ${bodies} objects were written`)
  }
}
