import { atAPace, throttledShare } from './support/at-a-pace.ts'
import type { Bench } from './support/bench.ts'
import { atLeast, atMost, type Measurement, mustBe, percent } from './support/measurement.ts'

const IMAGES = 460
const DELAY_S = 0.13

/** How close a run comes to what `--delay` allows, just below a paid plan's limit. */
export async function rate(bench: Bench): Promise<Measurement[]> {
  const count = bench.sized(IMAGES)
  const list = await bench.list(await bench.images(0, count))
  const flags = ['--delay', `${DELAY_S}`, '--concurrency', '16']
  const limits = [{ perSecond: 8, forMs: 0 }]
  const { ran, requests } = await atAPace(bench, [{ list, flags }], { limits })

  const accepted = requests.filter(({ isAccepted }) => isAccepted)
  const spanS = ((accepted.at(-1)?.atMs ?? 0) - (accepted[0]?.atMs ?? 0)) / 1_000
  const share = ((accepted.length - 1) * DELAY_S) / spanS
  const throttled = throttledShare(requests)
  const [{ exitCode = null, summary = {} } = {}] = ran
  const kept = Number(summary['stored']) + Number(summary['no_plate'])
  return [
    atLeast(
      'rate',
      share,
      0.98,
      percent,
      `Of the lookups that --delay ${DELAY_S} allows: ${accepted.length} in ${spanS.toFixed(2)} s, limit 8 a second.`,
    ),
    atMost('rate, 429s', throttled, 0.005, percent, `Of ${requests.length} requests.`),
    mustBe(
      'rate, nothing lost',
      `${kept} of ${count}`,
      'all',
      kept === count && exitCode === 0,
      `Exit code ${exitCode}.`,
    ),
  ]
}
