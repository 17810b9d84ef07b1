import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { joinPace, readPace, setPace } from '../../src/db/account-pace.ts'
import type { Database } from '../../src/db/database.ts'
import { sharedPace } from '../../src/db/pace-row.ts'
import { beginRun } from '../../src/db/runs.ts'
import type { SharedPace } from '../../src/shared-pace.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'

const ASK = { spacingMs: 0, learnedMs: 0, pauseMs: 0, lateMs: 0, isAnswered: false }
const FAILED = { agoMs: 0, isAnswered: false }

describe.each(BOTH_DATABASES)('an account on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** A run on the account: a worker when it has no delay of its own. */
  async function begin(account: string, delayMs?: number) {
    const run = await beginRun(database, { account, delayMs })
    return { ...run, pace: sharedPace(database, account, run.id) }
  }

  async function wait(pace: SharedPace, count = 1): Promise<number> {
    return (await pace.reserve({ ...ASK, count })).waitMs
  }

  const around = (ms: number, expected: number) => {
    expect(ms).toBeGreaterThan(expected - 5_000)
    expect(ms).toBeLessThanOrEqual(expected)
  }

  /** As if everything noted of the account had happened so much earlier. */
  async function pass(account: string, interval: string) {
    await database.query(
      `UPDATE api_pace SET next_at = next_at - $2::interval, paused_until = paused_until - $2::interval,
         failures_paused_at = failures_paused_at - $2::interval, refused_at = refused_at - $2::interval
       WHERE account = $1`,
      [account, interval],
    )
  }

  test('has workers that keep to its delay, half a second when none is set, and to a longer one of a run', async () => {
    const account = randomUUID()
    const [one] = [await begin(account), await begin(account)]
    const delay = async () => (await one.pace.hear({ isAnswered: false })).others
    expect(await delay()).toEqual({ delayMs: 500, spacingMs: 500, runs: 2 })
    await setPace(database, account, 40_000)
    expect(await delay()).toEqual({ delayMs: 40_000, spacingMs: 40_000, runs: 2 })
    const ingest = await begin(account, 90_000)
    expect(await delay()).toMatchObject({ delayMs: 90_000 })
    await wait(one.pace)
    around(await wait(ingest.pace), 90_000)
    await ingest.end()
    expect(await delay()).toMatchObject({ delayMs: 40_000 })
  })

  test('whose workers have gone holds no run to their delay', async () => {
    const account = randomUUID()
    await setPace(database, account, 40_000)
    const ingest = await begin(account, 0)
    expect((await ingest.pace.hear({ isAnswered: false })).others.delayMs).toBe(0)
  })

  test('takes the delay of a worker that comes: the longer one as long as another is at work', async () => {
    const account = randomUUID()
    const kept = async () => (await readPace(database, account)).delayMs
    const [first, second, third] = [randomUUID(), await begin(account), await begin(account)]
    expect(await kept()).toBe(500)
    await joinPace(database, account, first, 100)
    expect(await kept()).toBe(100)
    await joinPace(database, account, second.id, 3_000)
    await joinPace(database, account, third.id, 1_000)
    await joinPace(database, account, third.id, undefined)
    expect(await kept()).toBe(3_000)
    await second.end()
    await joinPace(database, account, third.id, 1_000)
    expect(await kept()).toBe(1_000)
  })

  test('has the longer delay of two workers that begin at once, and none of those before them', async () => {
    const account = randomUUID()
    await setPace(database, account, 10_000)
    const runs = await Promise.all(
      [20, 50].map(async (delayMs) => {
        const run = await beginRun(database, { account: undefined, delayMs: undefined })
        return { run, delayMs }
      }),
    )
    await Promise.all(runs.map(({ run, delayMs }) => joinPace(database, account, run.id, delayMs)))
    expect(await readPace(database, account)).toMatchObject({ delayMs: 50, workers: 2 })
    await Promise.all(runs.map(({ run }) => run.end()))
  })

  test('gives its moments anew a few seconds after its delay was made shorter, and later ones are lost', async () => {
    const account = randomUUID()
    const worker = await begin(account)
    await setPace(database, account, 600_000)
    expect(await wait(worker.pace, 20)).toBe(0)
    await setPace(database, account, 130)
    const { nextMs } = await worker.pace.hear({ isAnswered: false })
    around(nextMs, 6_000)
    around(await wait(worker.pace, 10), 6_000)
    around(await wait(worker.pace), 6_000 + 1_300)
  })

  test('keeps a shorter delay too between what may have started at the longer one and what comes next', async () => {
    const account = randomUUID()
    const worker = await begin(account)
    await setPace(database, account, 600_000)
    await wait(worker.pace, 3)
    await setPace(database, account, 300_000)
    around(await wait(worker.pace), 300_000)
  })

  test('takes no moment back for a longer delay, nor within a pause, nor for what a run still needs', async () => {
    const [longer, paused, slow] = [randomUUID(), randomUUID(), randomUUID()]
    const workers = [await begin(longer), await begin(paused), await begin(slow)] as const
    await begin(slow, 600_000)
    for (const account of [longer, paused, slow]) await setPace(database, account, 20_000)
    for (const { pace } of workers) await wait(pace, 3)
    await setPace(database, longer, 90_000)
    around(await wait(workers[0].pace), 60_000)
    await workers[1].pace.pause(400_000)
    await setPace(database, paused, 130)
    around(await wait(workers[1].pace), 400_000)
    await setPace(database, slow, 130)
    around(await wait(workers[2].pace), 1_800_000)
  })

  test('tells of a refusal those who began before it, for a minute', async () => {
    const account = randomUUID()
    const [refused, other] = [await begin(account), await begin(account, 0)]
    await refused.pace.refuse(403)
    const later = await begin(account)
    const statusTo = async ({ pace }: typeof other) => [
      (await pace.hear({ isAnswered: false })).refusedStatus,
      (await pace.reserve({ ...ASK, count: 1 })).refusedStatus,
    ]
    expect(await statusTo(other)).toEqual([403, 403])
    expect(await statusTo(later)).toEqual([undefined, undefined])
    await database.query(
      `UPDATE ingest_runs SET started_at = now() - interval '1 hour' WHERE account = $1`,
      [account],
    )
    await pass(account, '61 s')
    expect(await statusTo(other)).toEqual([undefined, undefined])
  })

  test('pauses after three failures in a row, longer with each that follows, and no longer than a run may ask for', async () => {
    const account = randomUUID()
    const [one, other] = [await begin(account), await begin(account)]
    const first = [await one.pace.unanswered(FAILED), await other.pace.unanswered(FAILED)]
    expect(first).toEqual([0, 0])
    const pauses = []
    for (let failures = 3; failures <= 12; failures += 1) {
      pauses.push(await one.pace.unanswered(FAILED))
      const heard = (await other.pace.hear({ isAnswered: false })).pausedMs
      expect(heard).toBeLessThanOrEqual(pauses.at(-1) ?? 0)
      await pass(account, '31 s')
    }
    const expected = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]
    for (const [place, ms] of pauses.entries()) {
      expect(ms).toBeGreaterThan((expected[place] ?? 0) * 0.5)
      expect(ms).toBeLessThanOrEqual(expected[place] ?? 0)
    }
    const hurried = sharedPace(database, account, randomUUID(), 400)
    expect(await hurried.unanswered(FAILED)).toBeLessThanOrEqual(400)
  })

  test('counts an outage once for all requests that were under way when it paused', async () => {
    const account = randomUUID()
    const { pace } = await begin(account)
    for (let n = 0; n < 3; n += 1) await pace.unanswered(FAILED)
    expect(await pace.unanswered({ agoMs: 10_000, isAnswered: false })).toBe(0)
    const [row] = await database.query('SELECT failures FROM api_pace WHERE account = $1', [
      account,
    ])
    expect(row).toEqual({ failures: 3 })
  })

  test('is not paused for failures between which anybody was answered', async () => {
    const account = randomUUID()
    const [sick, other] = [await begin(account), await begin(account, 0)]
    const fail = async (times: number, isAnswered = false) => {
      const pauses = []
      for (let n = 0; n < times; n += 1) {
        pauses.push(await sick.pace.unanswered({ agoMs: 0, isAnswered: isAnswered && n === 0 }))
      }
      expect(pauses).toEqual(Array(times).fill(0))
    }
    await fail(2)
    await other.pace.reserve({ ...ASK, count: 1, isAnswered: true })
    await fail(2)
    await other.pace.hear({ isAnswered: true })
    await fail(2)
    await fail(2, true)
    expect(await sick.pace.unanswered(FAILED)).toBeGreaterThan(0)
  })

  test('is told of as it is, also when nobody has used it', async () => {
    const account = randomUUID()
    const unused = { delayMs: 500, keptMs: 0, workers: 0, ingestRuns: 0, ingestDelayMs: 0 }
    const nothing = { spacingMs: undefined, learnedMs: undefined, refused: undefined, pausedMs: 0 }
    expect(await readPace(database, account)).toEqual({ ...unused, ...nothing })
    const [worker] = [await begin(account), await begin(account, 50), await begin(account, 70)]
    await setPace(database, account, 130)
    await worker.pace.reserve({ ...ASK, count: 1, spacingMs: 200, learnedMs: 200 })
    await worker.pace.pause(60_000)
    await worker.pace.refuse(402)
    const told = await readPace(database, account)
    expect(told).toEqual({
      ...{ delayMs: 130, keptMs: 200, spacingMs: 200, learnedMs: 200 },
      ...{ workers: 1, ingestRuns: 2, ingestDelayMs: 70 },
      ...{ pausedMs: expect.any(Number), refused: { status: 402, agoMs: expect.any(Number) } },
    })
    around(told.pausedMs, 60_000)
    await begin(account)
    expect((await readPace(database, account)).refused).toBeUndefined()
  })
})
