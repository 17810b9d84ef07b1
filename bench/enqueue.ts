import type { Bench } from './support/bench.ts'
import type { BenchDatabase } from './support/databases.ts'
import {
  atMost,
  type Measurement,
  megabytes,
  mustBe,
  noted,
  percent,
  times,
} from './support/measurement.ts'
import type { Ran } from './support/node-process.ts'
import { createQueueDatabase, enqueueList, jobStates, SCHEMA } from './support/queues.ts'
import { whileServing } from './support/server-use.ts'

const LINES = 1_000_000
const FEW = 10_000
const MB = 1_000_000
/** Little more than the program itself takes: what a list left behind would not fit. */
const HEAP_MB = 48

/** What a million lines cost to put into the queue: time, space, memory, and the same once more. */
export async function enqueue(bench: Bench): Promise<Measurement[]> {
  const lines = bench.sized(LINES)
  await using few = await createQueueDatabase(bench)
  const short = await enqueueList(bench, few, await bench.list(paths(bench.sized(FEW))))
  await using database = await createQueueDatabase(bench)
  const list = await bench.list(paths(lines))
  const { result: first, used } = await whileServing(database, () =>
    enqueueList(bench, database, list),
  )
  const tables = await sizes(database)
  const again = await enqueueList(bench, database, list)
  const held = await enqueueList(bench, database, list, { heapMb: HEAP_MB })
  const { created } = await jobStates(database)

  const disk = tables.reduce((sum, { bytes }) => sum + bytes, 0)
  return [
    noted(
      'enqueue',
      `${first.seconds.toFixed(1)} s`,
      `For ${lines} lines, ${perSecond(first, lines)}; processor time ${first.cpuSeconds.toFixed(1)} s, PostgreSQL's ${used.cpuSeconds.toFixed(1)} s; WAL ${megabytes(used.walBytes / MB)}.`,
    ),
    noted(
      'enqueue, space',
      megabytes(disk / MB),
      `${(disk / lines).toFixed(0)} bytes a line: ${tables.map(({ name, bytes }) => `${name} ${(bytes / lines).toFixed(0)}`).join(', ')}.`,
    ),
    noted(
      'enqueue, all waiting already',
      `${again.seconds.toFixed(1)} s`,
      `The same list again, ${perSecond(again, lines)}; processor time ${again.cpuSeconds.toFixed(1)} s.`,
    ),
    mustBe(
      'enqueue, each line once',
      `${created} jobs`,
      `${lines}`,
      created === lines,
      'All three times together.',
    ),
    atMost(
      'enqueue, memory',
      held.peakRssMb / short.peakRssMb - 1,
      0.1,
      percent,
      `More peak RSS for ${lines} lines with a heap of ${HEAP_MB} MB (${megabytes(held.peakRssMb)}) than for ${bench.sized(FEW)} (${megabytes(short.peakRssMb)}); with all the heap that V8 takes ${megabytes(first.peakRssMb)}, ${times(first.peakRssMb / short.peakRssMb)}.`,
    ),
  ]
}

/** Nothing is there: a list is put without a look at its files. */
function* paths(count: number): Generator<string> {
  for (let line = 0; line < count; line += 1) {
    yield `/srv/cameras/gate-12/2026-11-23/${String(line).padStart(10, '0')}.jpg`
  }
}

const perSecond = ({ seconds }: Ran, lines: number) => `${(lines / seconds).toFixed(0)} lines/s`

/** Of every table of pg-boss's that holds jobs, and of each of its indexes, the large ones first. */
const SIZES = `
  SELECT c.relname AS name, pg_relation_size(c.oid)::float8 AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'i') AND c.relname LIKE 'job%' AND pg_relation_size(c.oid) > 1000000
  ORDER BY bytes DESC`

function sizes({ query }: BenchDatabase): Promise<{ name: string; bytes: number }[]> {
  return query(SIZES, [SCHEMA])
}
