/**
 * `npm run bench`, or `npm run bench -- rate memory` for some rows only; `--short` tries the harness with a tenth of
 * everything, and its figures mean little. The exit code is 1 when a bar is missed.
 */
import process from 'node:process'
import { enqueue } from './enqueue.ts'
import { far } from './far.ts'
import { growth } from './growth.ts'
import { learned } from './learned.ts'
import { memory } from './memory.ts'
import { photos } from './photos.ts'
import { rate } from './rate.ts'
import { reread } from './reread.ts'
import { reserve } from './reserve.ts'
import { shared } from './shared.ts'
import { startup } from './startup.ts'
import { type Bench, openBench } from './support/bench.ts'
import { lineOf, type Measurement, mustBe, type Row, tableOf } from './support/measurement.ts'
import { taking } from './taking.ts'
import { throughput } from './throughput.ts'
import { urls } from './urls.ts'
import { work } from './work.ts'
import { workPace } from './work-pace.ts'

/** Rows that mostly wait share the machine; each list is done one after another, beside the other list. */
const WAITING: Readonly<Record<string, Row>>[] = [
  { learned },
  { rate, shared, far, 'work-pace': workPace },
]
/** Rows that take all the processor there is have it alone. */
const HEAVY: Readonly<Record<string, Row>> = {
  startup,
  throughput,
  work,
  enqueue,
  taking,
  reserve,
  growth,
  memory,
  reread,
  photos,
  urls,
}

const asked = process.argv.slice(2)
const isShort = asked.includes('--short')
const names = asked.filter((name) => name !== '--short')
const known = [...WAITING, HEAVY].flatMap((rows) => Object.keys(rows))
const unknown = names.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`No such row: ${unknown.join(', ')}. There are ${known.join(', ')}.`)
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const measurements: Measurement[] = []
const startedAt = performance.now()
{
  await using bench = await openBench(isShort)
  await Promise.all(WAITING.map((rows) => inTurn(bench, rows)))
  await inTurn(bench, HEAVY)
}
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1)
const missed = measurements.filter(({ isMet }) => !isMet).length
console.log(`\n${tableOf(measurements)}\n\n${missed} missed, ${minutes} minutes.`)
process.exitCode = missed > 0 ? 1 : 0

async function inTurn(bench: Bench, rows: Readonly<Record<string, Row>>): Promise<void> {
  for (const [name, row] of Object.entries(rows)) {
    if (names.length > 0 && !names.includes(name)) continue
    for (const measurement of await measured(name, row, bench)) {
      measurements.push(measurement)
      console.log(lineOf(measurement))
    }
  }
}

/** A row that breaks is a bar missed, and no reason to leave the others out. */
async function measured(name: string, row: Row, bench: Bench): Promise<Measurement[]> {
  try {
    return await row(bench)
  } catch (thrown) {
    const why = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    return [mustBe(name, 'broken', 'must run', false, why)]
  }
}
