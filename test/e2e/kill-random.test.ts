import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { expectDone, type Plates } from '../support/after-death.ts'
import { randomOf } from '../support/chance.ts'
import type { RunningCli } from '../support/cli.ts'
import { answersFor } from '../support/sample-pictures.ts'
import {
  createWorkplace,
  names,
  type Workplace,
  type WorkplaceOptions,
} from '../support/workplace.ts'

const IMAGES = 200
const KILLS = 25
const CONCURRENCY = 6
const FLAGS = ['--delay', '0', '--json', '--concurrency', `${CONCURRENCY}`]
const LATENCY_MS = [5, 40] as const

/** Most have a plate, some two, some none. */
const PLATES: Plates = Object.fromEntries(
  names(IMAGES).map((name, n) => [name, [`car${n}`, `bus${n}`].slice(0, [1, 1, 2, 0, 1][n % 5])]),
)
const answers = answersFor(
  Object.fromEntries(
    Object.entries(PLATES).map(([name, plates]) => [name, plates.map((plate) => [plate, 0.9])]),
  ),
)

/** To repeat a failure: `KILL_SEED=<the printed seed>`. */
const SEED = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 32))

/** When to kill: so long after that many requests have come, all runs together; or so long after the start. */
interface Moment {
  requests: number
  afterMs: number
}

/** In the order in which the list goes through them; one in five is while a process starts. */
function moments(random: () => number, startMs: number): Moment[] {
  const requests = Array.from({ length: KILLS }, () =>
    Math.floor(random() * (IMAGES - CONCURRENCY)),
  )
  return requests
    .sort((a, b) => a - b)
    .map((count) =>
      random() < 0.2
        ? { requests: 0, afterMs: random() * startMs }
        : { requests: count, afterMs: random() * LATENCY_MS[1] },
    )
}

/** Resolves at the moment, or when the run has ended before. */
async function waitFor({ requests, afterMs }: Moment, { sandbox }: Workplace, run: RunningCli) {
  while (sandbox.lookups.length < requests && !run.hasEnded()) await sleep(1)
  await Promise.race([sleep(afterMs), run.ended])
}

test.concurrent.each<[name: string, options: WorkplaceOptions, startMs: number]>([
  ['a server database and S3', { storage: 's3' }, 400],
  ['the embedded database', { database: 'embedded' }, 1_000],
])(
  'on %s a run killed at random moments and begun again loses nothing and doubles nothing',
  async (name, options, startMs) => {
    console.log(`${name}: KILL_SEED=${SEED}`)
    await using place = await createWorkplace({
      ...options,
      sandbox: { answers, latencyMs: LATENCY_MS },
    })
    await place.write('images.txt', (await place.draw(...Object.keys(PLATES))).join('\n'))
    const args = ['--images', 'images.txt', ...FLAGS]
    let kills = 0
    for (const moment of moments(randomOf(SEED), startMs)) {
      const run = await place.start(args)
      await waitFor(moment, place, run)
      run.kill('SIGKILL')
      const { exitCode, stderr } = await run.ended
      expect([null, 0], stderr).toContain(exitCode)
      if (exitCode === null) kills += 1
    }
    // The last of them may come when the list is through.
    expect(kills).toBeGreaterThan(KILLS - 5)

    const last = await place.run(args)
    expect(last.exitCode, last.stderr).toBe(0)
    const { entries, extra } = await expectDone(place, PLATES)
    expect(extra).toBeLessThanOrEqual(kills * CONCURRENCY)
    // A lookup that was billed in vain is one that the ledger calls uncertain.
    for (const { sha256, uncertain } of entries.values()) {
      expect(place.sandbox.billedCount(sha256)).toBeLessThanOrEqual(1 + uncertain)
    }
    console.log(`${name}: ${kills} kills, ${extra} lookups billed again`)
  },
  180_000,
)
