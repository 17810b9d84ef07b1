import { randomUUID } from 'node:crypto'
import { sharedPace } from '../src/db/pace-row.ts'
import { beginRun } from '../src/db/runs.ts'
import { openServerDatabase } from '../src/db/server.ts'
import type { Bench } from './support/bench.ts'
import { listed, type Measurement, noted } from './support/measurement.ts'
import { whileServing } from './support/server-use.ts'

const SECONDS = 5
/** How many ask at once, and how many runs share the account. */
const ASKING = [1, 4, 16] as const
const RUNS = [1, 16, 200] as const

/** Moments a second that the one pace row of an account can give, one at a time. */
export async function reserve(bench: Bench): Promise<Measurement[]> {
  const measured: Measurement[] = []
  for (const runs of RUNS) measured.push(await moments(bench, runs))
  return measured
}

async function moments(bench: Bench, runs: number): Promise<Measurement> {
  await using stated = await bench.createDatabase()
  const database = openServerDatabase(stated.url, Math.max(...ASKING))
  try {
    const account = randomUUID()
    const begun = await Promise.all(
      Array.from({ length: runs }, () => beginRun(database, { account, delayMs: 1 })),
    )
    const rates: number[] = []
    const serverMs: number[] = []
    for (const asking of ASKING) {
      const { result, used } = await whileServing(stated, () =>
        given(bench.sized(SECONDS) * 1_000, asking, () =>
          sharedPace(database, account, begun[0]?.id ?? ''),
        ),
      )
      rates.push(result / bench.sized(SECONDS))
      serverMs.push((used.cpuSeconds * 1_000) / result)
    }
    for (const run of begun) await run.end()
    return noted(
      `reserve, ${runs} ${runs === 1 ? 'run' : 'runs'}`,
      `${Math.max(...rates).toFixed(0)} moments/s`,
      `${listed(rates, 0)} with ${ASKING.join(', ')} asking at once; ${listed(serverMs, 2)} ms of PostgreSQL's processor time each.`,
    )
  } finally {
    await database.close()
  }
}

/** How many moments are given in so many milliseconds when so many ask, each again as soon as it was answered. */
async function given(
  forMs: number,
  asking: number,
  join: () => ReturnType<typeof sharedPace>,
): Promise<number> {
  const ask = { count: 1, spacingMs: 0.1, learnedMs: 0, pauseMs: 0, lateMs: 0, isAnswered: true }
  const end = performance.now() + forMs
  const one = async () => {
    const pace = join()
    let answered = 0
    for (; performance.now() < end; answered += 1) await pace.reserve(ask)
    return answered
  }
  const all = await Promise.all(Array.from({ length: asking }, one))
  return all.reduce((sum, answered) => sum + answered, 0)
}
