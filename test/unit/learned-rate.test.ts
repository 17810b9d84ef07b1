import { describe, expect, test } from 'vitest'
import { createLearnedRate } from '../../src/learned-rate.ts'
import { simulate } from './throttled-api.ts'

type Script = Parameters<typeof simulate>[0]

/** What came of a run: its share of the lookups that were allowed, and the 429s' share after so many seconds. */
async function sharesOf(script: Script, afterS = 10) {
  const seen = await simulate(script)
  const allowed = script.phases.reduce((sum, [limit = 0, seconds]) => sum + limit * seconds, 0)
  const accepted = seen.filter(({ isAccepted }) => isAccepted).length
  const later = seen.filter(({ at }) => at > afterS * 1_000)
  const refused = later.filter(({ isAccepted }) => !isAccepted).length
  return { ofAllowed: accepted / allowed, refused: refused / later.length }
}

/** Requests that are on their way more or less evenly, 429s that take as long as answers, and a restless machine. */
const CONDITIONS: [what: string, script: Partial<Script>][] = [
  ['a quiet machine', {}],
  ['an API that is slow with its 429s too', { isRefusalSlow: true }],
  ['a restless machine', { jitterMs: 25 }],
]
const SEEDS = [1, 2, 3]

describe.each(CONDITIONS)('without a delay, on %s', (_what, conditions) => {
  test.each([0.5, 1, 3, 8, 20, 50])(
    'a limit of %s a second is used for 92 % within 2 minutes, with 2 % of 429s at most',
    async (limit) => {
      for (const seed of SEEDS) {
        const phases = [[limit, 120]] as const
        const { ofAllowed, refused } = await sharesOf({
          ...{ phases, seed, concurrency: 32 },
          ...conditions,
        })
        expect(ofAllowed).toBeGreaterThan(0.92)
        expect(refused).toBeLessThan(0.02)
      }
    },
  )

  test.each([1, 3, 8, 20])(
    'a limit of %s a second is used for 92 % in the first minute already',
    async (limit) => {
      for (const seed of SEEDS) {
        const { ofAllowed } = await sharesOf({ phases: [[limit, 60]], seed, ...conditions })
        expect(ofAllowed).toBeGreaterThan(0.92)
      }
    },
  )

  test.each([60, 90, 120])(
    'a limit that falls from 8 to 3 and comes back, each for %s s, is followed',
    async (seconds) => {
      const phases = [
        [8, seconds],
        [3, seconds],
        [8, seconds],
      ] as const
      for (const seed of SEEDS) {
        const { ofAllowed, refused } = await sharesOf({ phases, seed, ...conditions })
        expect(ofAllowed).toBeGreaterThan(0.92)
        expect(refused).toBeLessThan(0.02)
      }
    },
  )

  test('a delay that the API allows is kept to, and nothing is learned', async () => {
    const script: Script = { phases: [[8, 60]], delayMs: 130, ...conditions }
    const { ofAllowed, refused } = await sharesOf(script)
    expect(ofAllowed).toBeGreaterThan((0.98 * 1_000) / 130 / 8)
    expect(refused).toBe(0)
  })

  test('a delay that is too short for the API is made longer', async () => {
    const script: Script = { phases: [[8, 60]], delayMs: 50, ...conditions }
    const { ofAllowed, refused } = await sharesOf(script)
    expect(ofAllowed).toBeGreaterThan(0.92)
    expect(refused).toBeLessThan(0.02)
  })
})

describe.each([1, 4, 16])("%i workers that have no delay but their account's", (workers) => {
  const shared: Partial<Script> = { workers, concurrency: 32 }

  test('use what it allows, and learn nothing when the API allows it too', async () => {
    const script: Script = { phases: [[8, 60]], delayMs: 130, ...shared }
    const { ofAllowed, refused } = await sharesOf(script)
    expect(ofAllowed).toBeGreaterThan((0.98 * 1_000) / 130 / 8)
    expect(refused).toBe(0)
  })

  test('slow down when it is too short for the API, and no more than they have to', async () => {
    const { ofAllowed, refused } = await sharesOf({ phases: [[8, 120]], delayMs: 50, ...shared })
    expect(ofAllowed).toBeGreaterThan(0.75)
    expect(refused).toBeLessThan(0.05)
  })

  test('come back to it after the limit has fallen and risen again, and go no faster', async () => {
    const phases = [
      [8, 60],
      [3, 60],
      [8, 90],
    ] as const
    const seen = await simulate({ phases, delayMs: 130, ...shared })
    const within = (from: number, to: number) =>
      seen.filter(({ at, isAccepted }) => isAccepted && at > from * 1_000 && at <= to * 1_000)
    expect(within(90, 120).length / 30).toBeGreaterThan(0.6 * 3)
    expect(within(180, 210).length / 30).toBeGreaterThan(0.4 * (1_000 / 130))
    for (let at = 0; at < 210; at += 1) {
      expect(within(at, at + 10).length).toBeLessThanOrEqual(10_000 / 130 + 2)
    }
  })
})

test('a limit that rises is found in the end', async () => {
  const seen = await simulate({
    phases: [
      [3, 30],
      [20, 200],
    ],
  })
  const atLast = seen.filter(({ at, isAccepted }) => isAccepted && at > 200_000)
  expect(atLast.length / 30).toBeGreaterThan(0.92 * 20)
})

test('no limit, no spacing', async () => {
  const seen = await simulate({ phases: [[undefined, 10]], concurrency: 100, jitterMs: 0 })
  // 100 at a time, each for 300 ms on average.
  expect(seen.length).toBeGreaterThan(3_000)
})

test('beside another program on the account the 429s stay few', async () => {
  const script: Script = { phases: [[8, 240]], otherPerSecond: 3 }
  const { ofAllowed, refused } = await sharesOf(script)
  expect(ofAllowed).toBeGreaterThan(0.3)
  expect(refused).toBeLessThan(0.05)
})

test('a run whose images come slowly proves nothing', () => {
  const law = createLearnedRate(0)
  for (let place = 0; place < 12; place += 1) {
    const start = law.started(0, 0)
    if (place < 8) law.answered(start, 300)
    else law.refused(start, 1_000, 300)
  }
  let at = 2_000
  for (; at < 600_000; at += 500) {
    const spacingMs = law.spacingMs(at)
    law.answered(law.started(at, spacingMs), at + 300)
  }
  expect(law.spacingMs(at)).toBeGreaterThan(1_000 / 8 / 1.3)
})

/** A law that has seen one burst. @returns the spacing after the pause */
function afterBurst(accepted: number, refused: number, runs: number): number {
  const law = createLearnedRate(0)
  law.heard({ delayMs: 0, spacingMs: 0, runs })
  for (let place = 0; place < accepted + refused; place += 1) {
    const start = law.started(0, 0)
    if (place < accepted) law.answered(start, 100)
    else law.refused(start, 1_000, 100)
  }
  return law.spacingMs(1_100)
}

test('what was accepted of several runs is taken for the share of each', () => {
  expect(1_000 / afterBurst(3, 5, 2)).toBeGreaterThan(5)
  expect(1_000 / afterBurst(3, 5, 2)).toBeLessThan(6)
})

test('who had nothing accepted learns nothing while other runs are there to learn it from', () => {
  expect(afterBurst(0, 8, 2)).toBe(0)
})

test('who has nothing accepted because of another program begins with one a second', () => {
  expect(afterBurst(0, 8, 1)).toBeGreaterThan(1_000)
})
