import { atAPace, type Process, throttledShare } from './support/at-a-pace.ts'
import type { Bench } from './support/bench.ts'
import { atLeast, atMost, type Measurement, mustBe, percent } from './support/measurement.ts'
import { startOf } from './support/paced-sandbox.ts'

const SECONDS = 60
const DELAY_S = 0.13
const PROCESSES = 3
const AHEAD_MS = 5_000
const CLOCK_AHEAD = new URL('./support/clock-ahead.ts', import.meta.url)

/** Three processes with one key on one database keep to one pace together, also when a clock is wrong. */
export async function shared(bench: Bench): Promise<Measurement[]> {
  const ahead = { imports: [CLOCK_AHEAD], env: { BENCH_CLOCK_AHEAD: `${AHEAD_MS}` } }
  const measured = await Promise.all([
    together(bench, 'shared', {}),
    together(bench, 'shared, one clock 5 s ahead', ahead),
  ])
  return measured.flat()
}

async function together(
  bench: Bench,
  name: string,
  ofTheFirst: Pick<Process, 'imports' | 'env'>,
): Promise<Measurement[]> {
  const windowMs = bench.sized(SECONDS) * 1_000
  const allowed = windowMs / 1_000 / DELAY_S
  // Any one of them could do all alone, and the images of each are its own.
  const each = Math.ceil(allowed * 1.2) + 50
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, async (_, index): Promise<Process> => {
      const list = await bench.list(await bench.images(index * each, each))
      const flags = ['--delay', `${DELAY_S}`, '--concurrency', '16']
      return { list, flags, ...(index === 0 && ofTheFirst) }
    }),
  )
  const limits = [{ perSecond: 8, forMs: 0 }]
  const { ran, requests } = await atAPace(bench, processes, { limits, windowMs })

  const start = startOf(requests, PROCESSES) ?? Number.NaN
  const within = requests.filter(({ atMs }) => atMs >= start && atMs < start + windowMs)
  const accepted = within.filter(({ isAccepted }) => isAccepted)
  const shares = processes.map((_, index) => accepted.filter(({ camera }) => camera === `${index}`))
  const failed = ran.map(({ summary }) => summary['failed'])
  const codes = ran.map(({ exitCode }) => exitCode)
  return [
    atLeast(
      name,
      accepted.length / allowed,
      0.98,
      percent,
      `${accepted.length} lookups (${shares.map(({ length }) => length).join(', ')}) in ${windowMs / 1_000} s with all three at work; one process alone may make ${allowed.toFixed(0)} with --delay ${DELAY_S}.`,
    ),
    atMost(
      `${name}, 429s`,
      throttledShare(requests),
      0.005,
      percent,
      `Of ${requests.length} requests, limit 8 a second.`,
    ),
    mustBe(
      `${name}, nothing lost`,
      `${failed.join(', ')} failed`,
      'none',
      failed.every((count) => count === 0) && codes.every((code) => code === 130),
      `Interrupted at the end, exit codes ${codes.join(', ')}.`,
    ),
  ]
}
