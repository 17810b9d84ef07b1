import { startInOwnProcess } from '../test/support/own-process.ts'
import type { Bench } from './support/bench.ts'
import { migratedDatabases } from './support/databases.ts'
import type { DurablePostgres } from './support/durable-postgres.ts'
import { listed, type Measurement, median, mustBe, noted, percent } from './support/measurement.ts'
import { CONCURRENCY, type Kind, type Pass, passOf, roundTrips } from './support/queue-work.ts'

const IMAGES = 5_000
const ROUNDS = 3
/** Through the proxy that counts. */
const COUNTED = 1_000
const INGEST: Kind = { name: 'ingest', workers: 0 }
const ONE: Kind = { name: '1 worker', workers: 1 }
const EMPTY: Kind = { name: 'pg-boss alone', workers: 1, isEmpty: true }
const KINDS: readonly Kind[] = [
  INGEST,
  ONE,
  { name: '2 workers', workers: 2 },
  { name: '4 workers', workers: 4 },
  EMPTY,
]
/** On the server whose commits wait for the disk. */
const DURABLE_KINDS: readonly Kind[] = [
  { name: '1 worker, durable', workers: 1 },
  { name: '4 workers, durable', workers: 4 },
]
const DURABLE = new URL('./support/durable-postgres.ts', import.meta.url)

/** Jobs a second of 1, 2 and 4 workers beside `ingest`, and what of that is pg-boss's own, all with an API that takes no time. */
export async function work(bench: Bench): Promise<Measurement[]> {
  const count = bench.sized(IMAGES)
  const list = await bench.list(await bench.images(0, count))
  await using sdk = await bench.startSdk(0)
  await using postgres = await startInOwnProcess<DurablePostgres>(DURABLE, 'startDurablePostgres')
  const durable = { ...bench, createDatabase: await migratedDatabases(postgres.url) }
  const all = [...KINDS, ...DURABLE_KINDS]
  const passes = new Map<Kind, Pass[]>(all.map((kind) => [kind, []]))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kind of round % 2 === 0 ? all : all.toReversed()) {
      const on = DURABLE_KINDS.includes(kind) ? durable : bench
      passes.get(kind)?.push(await passOf(on, kind, { list, count, url: sdk.url }))
    }
  }
  const counted = bench.sized(COUNTED)
  const short = await bench.list(await bench.images(0, counted))
  const trips = new Map<Kind, number>()
  for (const kind of [INGEST, ONE, EMPTY]) {
    trips.set(kind, await roundTrips(bench, kind, { list: short, count: counted, url: sdk.url }))
  }
  return told(count, passes, trips)
}

function told(
  count: number,
  passes: ReadonlyMap<Kind, readonly Pass[]>,
  trips: ReadonlyMap<Kind, number>,
): Measurement[] {
  const of = (kind: Kind, value: (pass: Pass) => number) => (passes.get(kind) ?? []).map(value)
  const mid = (kind: Kind, value: (pass: Pass) => number) => median(of(kind, value))
  const totalMs = (pass: Pass) => pass.clientMs + pass.serverMs
  const speeds = [...passes.keys()].map((kind) => {
    const raw = [
      `${listed(
        of(kind, ({ perSecond }) => perSecond),
        0,
      )} images/s;`,
      `processor time an image ${mid(kind, ({ clientMs }) => clientMs).toFixed(2)} ms of the processes`,
      `and ${mid(kind, ({ serverMs }) => serverMs).toFixed(2)} ms of PostgreSQL;`,
      `${mid(kind, ({ commits }) => commits).toFixed(2)} transactions and`,
      `${mid(kind, ({ walBytes }) => walBytes).toFixed(0)} bytes of WAL an image.`,
    ]
    const perSecond = mid(kind, (pass) => pass.perSecond)
    return noted(`work, ${kind.name}`, `${perSecond.toFixed(0)} images/s`, raw.join(' '))
  })
  const [{ s3, bytes } = { s3: { requests: 0, puts: 0 }, bytes: {} }] = passes.get(ONE) ?? []
  const size = Object.values(bytes).reduce((sum, one) => sum + one, 0)
  return [
    ...speeds,
    noted(
      "work, pg-boss's share",
      percent(mid(EMPTY, totalMs) / mid(ONE, totalMs)),
      `Of the processor time of one worker and PostgreSQL together, ${mid(ONE, totalMs).toFixed(2)} ms an image; ingest has ${mid(INGEST, totalMs).toFixed(2)} ms.`,
    ),
    noted(
      'work, round trips',
      `${trips.get(ONE)?.toFixed(2)} an image`,
      `To the database, ${trips.get(EMPTY)?.toFixed(2)} of pg-boss alone; ingest ${trips.get(INGEST)?.toFixed(2)}. Concurrency ${CONCURRENCY}, API 0 ms.`,
    ),
    mustBe(
      'work, S3 requests',
      `${s3.requests.toFixed(2)} an image`,
      'one PUT',
      s3.puts === 1 && s3.requests < 1.01,
      `${s3.puts.toFixed(2)} with a body; looking at the bucket included.`,
    ),
    noted(
      'work, space',
      `${size.toFixed(0)} bytes an image`,
      `Tables with their indexes, without the image: ${Object.entries(bytes)
        .map(([table, one]) => `${table} ${one.toFixed(0)}`)
        .join(', ')}. ${count} images with one plate each.`,
    ),
  ]
}
