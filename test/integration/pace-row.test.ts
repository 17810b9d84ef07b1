import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { sharedPace } from '../../src/db/pace-row.ts'
import { beginRun, type Run } from '../../src/db/runs.ts'
import { createPace } from '../../src/pace.ts'
import type { Ask, SharedPace } from '../../src/shared-pace.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'

const never = new AbortController().signal

describe.each(BOTH_DATABASES)('the pace of an account on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** Runs on one account with these delays, each with its own way into the database. */
  async function runsOn(...delays: (number | undefined)[]) {
    const account = randomUUID()
    const runs: Run[] = []
    const paces: SharedPace[] = []
    for (const delayMs of delays) {
      const own = opened.openAnother()
      const run = await beginRun(own, { account, delayMs })
      runs.push(run)
      paces.push(sharedPace(own, account, run.id))
    }
    return { account, runs, paces }
  }

  /** Takes moments of an account, one unless told otherwise. @returns how long the first has to wait */
  async function wait(pace: SharedPace | undefined, spacingMs: number, ask: Partial<Ask> = {}) {
    const nothing = { count: 1, learnedMs: 0, pauseMs: 0, lateMs: 0, isAnswered: false }
    const reserved = await pace?.reserve({ ...nothing, spacingMs, ...ask })
    return reserved?.waitMs ?? Number.NaN
  }

  const hear = (pace: SharedPace | undefined) => pace?.hear({ isAnswered: false })

  const within = (waitMs: number, ms: number) => {
    expect(waitMs).toBeGreaterThan(ms - 10_000)
    expect(waitMs).toBeLessThanOrEqual(ms)
  }

  test('starts at once, and gives each after it its moment a spacing later', async () => {
    const { paces } = await runsOn(100_000, 100_000)
    expect(await wait(paces[0], 100_000)).toBe(0)
    within(await wait(paces[1], 100_000), 100_000)
    within(await wait(paces[0], 100_000), 200_000)
  })

  test('gives several moments at a time', async () => {
    const { paces } = await runsOn(100_000, 100_000)
    expect(await wait(paces[0], 100_000, { count: 3 })).toBe(0)
    within(await wait(paces[1], 100_000, { count: 2 }), 300_000)
    within(await wait(paces[0], 100_000), 500_000)
  })

  test('gives no moment twice, however many ask at once', async () => {
    const { paces } = await runsOn(100_000, 100_000, 100_000)
    const waits = await Promise.all(
      Array.from({ length: 12 }, (_, n) => wait(paces[n % 3], 100_000)),
    )
    const sorted = waits.sort((a, b) => a - b)
    expect(sorted[0]).toBe(0)
    for (const [n, ms] of sorted.entries()) if (n > 0) within(ms, n * 100_000)
  })

  test('the longest delay of all runs wins', async () => {
    const { paces } = await runsOn(20_000, 180_000)
    await wait(paces[0], 20_000)
    within(await wait(paces[0], 20_000), 180_000)
    const { others, pausedMs, nextMs } = (await hear(paces[0])) ?? {}
    expect({ others, pausedMs }).toEqual({
      others: { delayMs: 180_000, spacingMs: 180_000, runs: 2 },
      pausedMs: 0,
    })
    within(nextMs ?? 0, 360_000)
  })

  test('a spacing that one has learned holds for all, until it is renewed no more', async () => {
    const { account, paces } = await runsOn(0, 20_000)
    await wait(paces[0], 140_000, { learnedMs: 140_000 })
    within(await wait(paces[1], 20_000), 140_000)
    within(await wait(paces[1], 20_000), 280_000)
    const [own, other] = await Promise.all(paces.map(hear))
    expect([own?.others.spacingMs, other?.others.spacingMs]).toEqual([20_000, 140_000])
    await database.query(
      `UPDATE api_pace SET learned_at = now() - interval '61 s' WHERE account = $1`,
      [account],
    )
    expect((await hear(paces[1]))?.others.spacingMs).toBe(20_000)
  })

  test('of two that have learned the longer holds, and is taken back by who told it', async () => {
    const { paces } = await runsOn(0, 0, 0)
    const longest = async () => (await hear(paces[2]))?.others.spacingMs
    await wait(paces[0], 300_000, { learnedMs: 300_000 })
    await wait(paces[1], 140_000, { learnedMs: 140_000 })
    expect(await longest()).toBe(300_000)
    await wait(paces[0], 100_000, { learnedMs: 100_000 })
    await wait(paces[1], 140_000, { learnedMs: 140_000 })
    expect(await longest()).toBe(140_000)
    await wait(paces[1], 0)
    expect(await longest()).toBe(0)
  })

  test('a run that ended or died no longer counts', async () => {
    const { account, runs, paces } = await runsOn(20_000, 1_200_000, 1_200_000)
    await runs[1]?.end()
    await database.query(
      `UPDATE ingest_runs SET heartbeat_at = now() - interval '1 min' WHERE account = $1 AND id = $2`,
      [account, runs[2]?.id],
    )
    await wait(paces[0], 20_000)
    within(await wait(paces[0], 20_000), 20_000)
  })

  test('a pause holds all runs of the account, and no other account', async () => {
    const { paces } = await runsOn(20_000, 20_000)
    await paces[0]?.pause(400_000)
    within(await wait(paces[0], 20_000), 400_000)
    within(await wait(paces[1], 20_000), 420_000)
    within((await hear(paces[1]))?.pausedMs ?? 0, 400_000)
    const other = await runsOn(20_000)
    expect(await wait(other.paces[0], 20_000)).toBe(0)
  })

  test('a pause shorter than what is reserved takes nothing back', async () => {
    const { paces } = await runsOn(200_000)
    await wait(paces[0], 200_000)
    await paces[0]?.pause(20_000)
    within(await wait(paces[0], 200_000), 200_000)
  })

  test('one who is paused itself, or behind its moments, is given none that it cannot use', async () => {
    const { paces } = await runsOn(100_000)
    within(await wait(paces[0], 100_000, { pauseMs: 60_000 }), 60_000)
    within(await wait(paces[0], 100_000, { lateMs: 50_000 }), 210_000)
    within(await wait(paces[0], 100_000), 310_000)
  })

  test('an idle account starts at once again, and makes up for nothing', async () => {
    const { account, paces } = await runsOn(40_000)
    await wait(paces[0], 40_000)
    await database.query(
      `UPDATE api_pace SET next_at = now() - interval '1 hour' WHERE account = $1`,
      [account],
    )
    expect(await wait(paces[0], 40_000)).toBe(0)
    within(await wait(paces[0], 40_000), 40_000)
  })

  test('two runs at work keep together to the spacing, from start to start', async () => {
    const { paces } = await runsOn(100, 100)
    const starts: number[] = []
    const began = performance.now()
    const work = async (shared: SharedPace) => {
      const pace = createPace(100, shared)
      for (let turn = 0; turn < 5; turn += 1) {
        await pace.turn(never)
        starts.push(performance.now())
      }
    }
    await Promise.all(paces.map(work))
    expect(starts).toHaveLength(10)
    // Any start may be late by whatever the machine is busy with; the tenth cannot be early.
    expect((starts.at(-1) ?? 0) - began).toBeGreaterThan(890)
  })
})
