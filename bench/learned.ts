import { atAPace, throttledShare } from './support/at-a-pace.ts'
import type { Bench } from './support/bench.ts'
import { atLeast, atMost, type Measurement, mustBe, percent } from './support/measurement.ts'
import type { Ran } from './support/node-process.ts'
import type { Limit, Request } from './support/paced-sandbox.ts'

const SECONDS = 60
const SECONDS_OF_EACH = 90
/** After so many milliseconds a run should have found the rate. */
const FINDING_MS = 10_000

/** With `--delay 0` a run finds an unknown limit from the 429s: how much of it is used, and what finding it costs. */
export async function learned(bench: Bench): Promise<Measurement[]> {
  const ms = bench.sized(SECONDS) * 1_000
  const eachMs = bench.sized(SECONDS_OF_EACH) * 1_000
  const runs: Limit[][] = [
    ...[1, 3, 8, 20].map((perSecond) => [{ perSecond, forMs: ms }]),
    [8, 3, 8].map((perSecond) => ({ perSecond, forMs: eachMs })),
  ]
  const measured = await Promise.all(runs.map((limits) => learn(bench, limits)))
  return measured.flat()
}

async function learn(bench: Bench, limits: readonly Limit[]): Promise<Measurement[]> {
  const windowMs = limits.reduce((sum, { forMs }) => sum + forMs, 0)
  const allowed = limits.reduce((sum, { perSecond, forMs }) => sum + (perSecond * forMs) / 1_000, 0)
  // Longer than any run gets: the last images of a list would be a slower end.
  const list = await bench.list(await bench.images(0, Math.ceil(allowed * 1.2) + 50))
  const flags = ['--delay', '0', '--concurrency', '16', '--retries', '0']
  const { ran, requests } = await atAPace(bench, [{ list, flags }], { limits, windowMs })
  const name = `learned ${limits.map(({ perSecond }) => perSecond).join(' -> ')} a second`
  return figures(name, requests, {
    ...{ windowMs, allowed, ran: ran[0]! },
    findingMs: bench.sized(FINDING_MS),
  })
}

function figures(
  name: string,
  requests: readonly Request[],
  {
    windowMs,
    allowed,
    ran,
    findingMs,
  }: { windowMs: number; allowed: number; ran: Ran; findingMs: number },
): Measurement[] {
  const within = requests.filter(({ atMs }) => atMs < windowMs)
  const accepted = within.filter(({ isAccepted }) => isAccepted).length
  const late = within.filter(({ atMs }) => atMs >= findingMs)
  const { exitCode, summary } = ran
  const seconds = windowMs / 1_000
  return [
    atLeast(
      name,
      accepted / allowed,
      0.92,
      percent,
      `${accepted} lookups accepted in the ${seconds} s from the first on, ${allowed} allowed.`,
    ),
    atMost(
      `${name}, 429s`,
      throttledShare(late),
      0.02,
      percent,
      `Of ${late.length} requests after the first ${findingMs / 1_000} s; ${within.filter(({ isThrottled }) => isThrottled).length} of ${within.length} in all.`,
    ),
    mustBe(
      `${name}, nothing lost`,
      `${summary['failed']} failed`,
      'none',
      summary['failed'] === 0 && exitCode === 130,
      `--retries 0; interrupted at the end, exit code ${exitCode}.`,
    ),
  ]
}
