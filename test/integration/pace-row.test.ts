import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { sharedPace } from '../../src/db/pace-row.ts'
import { beginRun, type Run } from '../../src/db/runs.ts'
import { createPace, type SharedPace } from '../../src/pace.ts'
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
  async function runsOn(...delays: number[]) {
    const account = randomUUID()
    const runs: Run[] = []
    const paces: SharedPace[] = []
    for (const delayMs of delays) {
      const own = opened.openAnother()
      runs.push(await beginRun(own, { account, delayMs }))
      paces.push(sharedPace(own, account))
    }
    return { account, runs, paces }
  }

  const within = (wait: number, ms: number) => {
    expect(wait).toBeGreaterThan(ms - 10_000)
    expect(wait).toBeLessThanOrEqual(ms)
  }

  test('starts at once, and gives each after it its moment a spacing later', async () => {
    const { paces } = await runsOn(100_000, 100_000)
    expect(await paces[0]?.reserve(100_000)).toBe(0)
    within((await paces[1]?.reserve(100_000)) ?? 0, 100_000)
    within((await paces[0]?.reserve(100_000)) ?? 0, 200_000)
  })

  test('gives no moment twice, however many ask at once', async () => {
    const { paces } = await runsOn(100_000, 100_000, 100_000)
    const waits = await Promise.all(
      Array.from({ length: 12 }, (_, n) => paces[n % 3]?.reserve(100_000)),
    )
    const sorted = waits.map((wait) => wait ?? 0).sort((a, b) => a - b)
    expect(sorted[0]).toBe(0)
    for (const [n, wait] of sorted.entries()) if (n > 0) within(wait, n * 100_000)
  })

  test.each<[what: string, delays: [number, number], spacing: number, next: number]>([
    ['the longest delay of all runs wins', [20_000, 180_000], 20_000, 180_000],
    ['a spacing learned from 429s that is longer wins', [20_000, 40_000], 140_000, 140_000],
  ])('%s', async (_what, delays, spacing, next) => {
    const { paces } = await runsOn(...delays)
    await paces[0]?.reserve(spacing)
    within((await paces[0]?.reserve(spacing)) ?? 0, next)
  })

  test('a run that ended or died no longer counts', async () => {
    const { account, runs, paces } = await runsOn(20_000, 1_200_000, 1_200_000)
    await runs[1]?.end()
    await database.query(
      `UPDATE ingest_runs SET heartbeat_at = now() - interval '1 min' WHERE account = $1 AND id = $2`,
      [account, runs[2]?.id],
    )
    await paces[0]?.reserve(20_000)
    within((await paces[0]?.reserve(20_000)) ?? 0, 20_000)
  })

  test('a pause holds all runs of the account, and no other account', async () => {
    const { paces } = await runsOn(20_000, 20_000)
    await paces[0]?.pause(400_000)
    within((await paces[0]?.reserve(20_000)) ?? 0, 400_000)
    within((await paces[1]?.reserve(20_000)) ?? 0, 420_000)
    const other = await runsOn(20_000)
    expect(await other.paces[0]?.reserve(20_000)).toBe(0)
  })

  test('a pause shorter than what is reserved takes nothing back', async () => {
    const { paces } = await runsOn(200_000)
    await paces[0]?.reserve(200_000)
    await paces[0]?.pause(20_000)
    within((await paces[0]?.reserve(200_000)) ?? 0, 200_000)
  })

  test('an idle account starts at once again, and makes up for nothing', async () => {
    const { account, paces } = await runsOn(40_000)
    await paces[0]?.reserve(40_000)
    await database.query(
      `UPDATE api_pace SET next_at = now() - interval '1 hour' WHERE account = $1`,
      [account],
    )
    expect(await paces[0]?.reserve(40_000)).toBe(0)
    within((await paces[0]?.reserve(40_000)) ?? 0, 40_000)
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
