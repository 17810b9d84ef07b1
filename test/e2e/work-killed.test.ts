import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { expectDone, type Plates } from '../support/after-death.ts'
import { randomOf } from '../support/chance.ts'
import type { CliResult } from '../support/cli.ts'
import { startPostgres } from '../support/postgres.ts'
import { answersFor } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const JOBS = 2_000
const WORKERS = 4
const CONCURRENCY = 8
/** Between two requests of all workers together, in seconds. */
const DELAY_S = 0.015
/** How many requests there are between two kills; the database goes away after that many of them. */
const KILL_EVERY = 200
const RESTART_AFTER = 1_000

/** Most have a plate, some two, some none. */
const PLATES: Plates = Object.fromEntries(
  names(JOBS).map((name, n) => [name, [`car${n}`, `bus${n}`].slice(0, [1, 1, 2, 0, 1][n % 5])]),
)
const answers = answersFor(
  Object.fromEntries(
    Object.entries(PLATES).map(([name, plates]) => [name, plates.map((plate) => [plate, 0.9])]),
  ),
)
/** To repeat a failure: `KILL_SEED=<the printed seed>`. */
const SEED = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 32))

const ARGS = ['work', '--until-empty', '--json', '--concurrency', `${CONCURRENCY}`]

/**
 * A worker that is begun again, as a supervisor of services does, when it is killed, and when it finds no database to
 * begin with: patience is for one that has begun.
 */
function keepWorking(place: Workplace) {
  let current: Awaited<ReturnType<Workplace['start']>> | undefined
  async function work(): Promise<CliResult> {
    for (;;) {
      current = await place.start([...ARGS, '--delay', `${DELAY_S}`])
      const end = await current.ended
      const hasNotBegun = end.summary?.stopped === 'database_down' && end.summary.attempts === 0
      if (end.exitCode !== null && !hasNotBegun) return end
    }
  }
  return { ended: work(), kill: () => current?.kill('SIGKILL') }
}

test('of 2,000 jobs, four workers that are killed again and again while the database restarts do each once, at one pace', async () => {
  console.log(`KILL_SEED=${SEED}`)
  const random = randomOf(SEED)
  await using postgres = await startPostgres('newest')
  await using place = await createWorkplace({
    postgresUrl: postgres.url,
    sandbox: { answers, latencyMs: [5, 40] },
  })
  await place.run(['migrate'])
  await place.write('images.txt', (await place.draw(...Object.keys(PLATES))).join('\n'))
  const put = await place.run(['enqueue', '--images', 'images.txt'])
  expect(put.stdout).toBe('2,000 new jobs.\n')

  const workers = Array.from({ length: WORKERS }, () => keepWorking(place))
  const allEnded = Promise.all(workers.map(({ ended }) => ended))
  let hasEnded = false
  void allEnded.finally(() => {
    hasEnded = true
  })
  let kills = 0
  for (let requests = KILL_EVERY; requests < JOBS; requests += KILL_EVERY) {
    while (place.sandbox.lookups.length < requests && !hasEnded) await sleep(5)
    // In the middle one begins while the database is away.
    if (requests === RESTART_AFTER) await postgres.down('immediate')
    workers[Math.floor(random() * WORKERS)]?.kill()
    kills += 1
    if (requests === RESTART_AFTER) {
      await sleep(random() * 1_000)
      await postgres.up()
    }
  }
  const ends = await allEnded
  for (const { exitCode, stderr } of ends) expect(exitCode, stderr).toBe(0)

  const { extra } = await expectDone(place, PLATES)
  expect(extra).toBeLessThanOrEqual(kills * CONCURRENCY)
  const jobs = await place.query('SELECT state, count(*)::int AS jobs FROM pgboss.job GROUP BY 1')
  expect(jobs).toEqual([{ state: 'completed', jobs: JOBS }])

  // By the sandbox's own clock; a second takes one request more than it has gaps.
  const times = place.sandbox.lookups.map(({ atMs }) => atMs)
  const took = Math.max(...times) - Math.min(...times)
  expect(times.length - 1).toBeLessThanOrEqual(took / (DELAY_S * 1_000))
  const busiest = busiestSpan(times, 5_000)
  expect(busiest).toBeLessThanOrEqual((5 / DELAY_S) * 1.1 + 1)
  console.log(`${kills} kills, ${extra} lookups billed again, at most ${busiest} in 5 s`)
}, 300_000)

/** The most of these times that lie within so many milliseconds. */
function busiestSpan(times: readonly number[], spanMs: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  let first = 0
  let most = 0
  for (const [last, at] of sorted.entries()) {
    while (at - (sorted[first] ?? at) >= spanMs) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}
