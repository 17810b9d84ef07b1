import { randomInt } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { SandboxFault } from '../../src/sandbox/fault.ts'
import type { SandboxSwitches } from '../../src/sandbox/options.ts'
import { chance } from '../support/chance.ts'
import { answersFor } from '../support/sample-pictures.ts'
import { createWorkplace, names } from '../support/workplace.ts'

const SEED = Number(process.env['STORM_SEED'] || randomInt(2 ** 31))

const PICTURES = names(120)
const answers = answersFor(
  Object.fromEntries(PICTURES.map((name, n) => [name, [[`abc${n}`, 0.9]]])),
)

type Fault = SandboxFault | 'reset-before-body'

/** Each is as likely as the others. */
const FAULTS: readonly Fault[] = [
  { status: 500 },
  { status: 502, contentType: 'text/html', body: '<html><b>Bad gateway</b></html>' },
  { status: 503 },
  'reset-before-body',
  'reset-before-answer',
  'reset-after-billing',
  'reset-in-answer',
  'truncated-json',
  'html-200',
  'hang',
]
/** In turn. All lookups wait after a 429 and are slower from then on, so there are only a few. */
const THROTTLES: readonly Fault[] = [
  { status: 429, headers: { 'retry-after': '1' } },
  { status: 429 },
]
const THROTTLE_EVERY = 40
const FAULTY = 0.3
/** So often may an image meet a fault: the waits between attempts double, and a test has to end. */
const MOST_FAULTS = 4

/** An API of which 30 % of the answers are faults, and what it did wrong, by the index of the request. */
function storm() {
  const faults = new Map<number, Fault>()
  const faultAt = (index: number) =>
    index % THROTTLE_EVERY === 20
      ? THROTTLES[Math.floor(index / THROTTLE_EVERY) % 2]
      : FAULTS[Math.floor((chance(SEED, index) / FAULTY) * FAULTS.length)]
  const switches: SandboxSwitches = {
    resetBeforeBody({ index }) {
      const isReset = faultAt(index) === 'reset-before-body'
      if (isReset) faults.set(index, 'reset-before-body')
      return isReset
    },
    fault({ index, attempt }) {
      const fault = faultAt(index)
      if (fault === undefined || fault === 'reset-before-body' || attempt > MOST_FAULTS)
        return undefined
      faults.set(index, fault)
      return fault
    },
  }
  return { faults, switches }
}

/** An answer with another status says that nothing was looked up; all other faults leave the client without knowing. */
function isLoss(fault: Fault | undefined): boolean {
  return fault !== undefined && !(typeof fault === 'object' && 'status' in fault)
}

describe.concurrent(`in a storm of faults (STORM_SEED=${SEED})`, () => {
  test.each<[lostAnswer: string, promise: string, mostLosses: number]>([
    ['retry', 'every image ends stored', Number.POSITIVE_INFINITY],
    ['once', 'only an image with two lost answers fails', 2],
    ['fail', 'an image is never asked again after a lost answer', 1],
  ])('with --lost-answer %s %s', { timeout: 120_000 }, async (lostAnswer, _, mostLosses) => {
    const { faults, switches } = storm()
    await using place = await createWorkplace({ sandbox: { answers, ...switches } })
    const lines = await place.draw(...PICTURES)
    const flags = ['--lost-answer', lostAnswer, '--retries', '20', '--stop-after', '1000']
    const hurry = ['--concurrency', '32', '--lookup-timeout', '3']
    const { exitCode, images, summary } = await place.ingest(lines, [...flags, ...hurry])

    const { lookups } = place.sandbox
    const lost = lookups.filter(({ index }) => isLoss(faults.get(index)))
    const good = lookups.filter(({ index }) => !faults.has(index))
    expect(faults.size).toBeGreaterThan(lookups.length * 0.15)
    const answered = good.map(({ sha256 }) => sha256).sort()
    expect(new Set(answered).size).toBe(good.length)
    expect(good.every(({ status }) => status === 201)).toBe(true)
    expect(summary).toMatchObject({
      ...{ images: 120, stored: good.length, failed: 120 - good.length, stopped: null },
      ...{ rows: good.length, lookups: 120, attempts: lookups.length, uncertain: lost.length },
    })
    expect(exitCode).toBe(summary.failed === 0 ? 0 : 1)
    const failures = images.filter(({ outcome }) => outcome === 'failed')
    expect(failures.every(({ error }) => error?.code === 'answer_lost')).toBe(true)

    const ledger = await place.query<{
      sha256: string
      isAnswered: boolean
      attempts: number
      uncertain: number
    }>(
      `SELECT image_sha256 AS sha256, response IS NOT NULL AS "isAnswered", attempts, uncertain
       FROM plate_lookups WHERE claimed_by IS NULL ORDER BY image_sha256`,
    )
    expect(ledger).toHaveLength(120)
    const sumOf = (column: 'attempts' | 'uncertain') =>
      ledger.reduce((sum, entry) => sum + entry[column], 0)
    expect([sumOf('attempts'), sumOf('uncertain')]).toEqual([lookups.length, lost.length])
    expect(ledger.filter((entry) => entry.isAnswered).map(({ sha256 }) => sha256)).toEqual(answered)
    for (const { sha256, isAnswered, uncertain } of ledger) {
      if (isAnswered) expect(uncertain).toBeLessThan(mostLosses)
      else expect(uncertain).toBe(mostLosses)
      expect(place.sandbox.billedCount(sha256)).toBeLessThanOrEqual(
        uncertain + (isAnswered ? 1 : 0),
      )
    }
    const rows = await place.query('SELECT DISTINCT image_sha256 FROM vehicle_snapshots')
    expect(rows).toHaveLength(good.length)

    // The calm after it: what was answered well is not asked again, nor what is not to be asked again.
    place.sandbox.reset()
    place.sandbox.configure({ fault: undefined, resetBeforeBody: undefined })
    const after = await place.ingest(lines, flags)
    const asked = lostAnswer === 'fail' ? 0 : failures.length
    expect(after.summary).toMatchObject({
      duplicate: good.length,
      lookups: asked,
      stored: asked,
      attempts: asked,
    })
    expect(place.sandbox.billedCount()).toBe(asked)
  })
})
