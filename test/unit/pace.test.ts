import { expect, test } from 'vitest'
import { createPace, type Pace } from '../../src/pace.ts'

const { signal: never } = new AbortController()

/** Takes so many turns at once. @returns when each began, in milliseconds from now */
async function starts(pace: Pace, turns: number): Promise<number[]> {
  const from = performance.now()
  const began = Array.from({ length: turns }, async () => {
    await pace.turn(never)
    return performance.now() - from
  })
  return Promise.all(began)
}

test('turns that are asked for together begin one delay apart', async () => {
  const began = await starts(createPace(5), 6)

  for (const [place, ms] of began.entries()) expect(ms).toBeGreaterThanOrEqual(place * 5)
})

test('turns come in the order they were asked for', async () => {
  const pace = createPace(1)
  const order: number[] = []
  const turns = [1, 2, 3, 4].map(async (turn) => {
    await pace.turn(never)
    order.push(turn)
  })
  await Promise.all(turns)

  expect(order).toEqual([1, 2, 3, 4])
})

/** A pace that has sent so much that what it learns from a 429 is a matter of milliseconds. */
async function brisk(): Promise<Pace> {
  const pace = createPace(0)
  await starts(pace, 201)
  return pace
}

test('a 429 holds everybody for as long as it says', async () => {
  const pace = await brisk()
  const from = performance.now()
  await pace.throttled(30)
  const spent = performance.now() - from

  for (const ms of await starts(pace, 3)) expect(ms).toBeGreaterThanOrEqual(30 - spent)
})

test('a 429 holds those who wait already', async () => {
  const pace = await brisk()
  await pace.throttled(10)
  const waiting = starts(pace, 1)
  await pace.throttled(40)

  expect((await waiting)[0]).toBeGreaterThanOrEqual(40)
})

test('a shorter 429 does not end a longer one', async () => {
  const pace = createPace(0)
  const from = performance.now()
  await pace.throttled(40)
  await pace.throttled(1)
  await pace.turn(never)

  expect(performance.now() - from).toBeGreaterThanOrEqual(40)
})

test('an abort ends a wait at once', async () => {
  const pace = createPace(0)
  await pace.throttled(60_000)
  const stop = new AbortController()
  const turn = pace.turn(stop.signal)
  setImmediate(() => stop.abort())

  await expect(turn).rejects.toThrow()
})

test('an abort in the queue lets the next go on', async () => {
  const pace = createPace(5)
  const stop = new AbortController()
  const order: string[] = []
  const takes = async (name: string, signal: AbortSignal) => {
    await pace.turn(signal)
    order.push(name)
  }
  const turns = [takes('first', never), takes('aborted', stop.signal), takes('next', never)]
  stop.abort(new Error('stopped'))

  const [, aborted] = await Promise.allSettled(turns)
  expect(aborted).toMatchObject({ status: 'rejected', reason: new Error('stopped') })
  expect(order).toEqual(['first', 'next'])
})

test('an aborted turn uses up no time of the others', async () => {
  const pace = createPace(60_000)
  const stopped = AbortSignal.abort(new Error('stopped'))

  await expect(pace.turn(stopped)).rejects.toThrow('stopped')
  await expect(pace.turn(never)).resolves.toBeUndefined()
})

test('what must be so when a request leaves is seen to shortly before its turn, and again when that was put off', async () => {
  const pace = createPace(150)
  const prepared: number[] = []
  const prepare = async () => void prepared.push(performance.now())
  await pace.turn(never, prepare)
  const first = performance.now()
  const putOff = pace.turn(never, async () => {
    await prepare()
    // Another lookup was told to wait while this one was ready.
    if (prepared.length === 2) await pace.throttled(2_100)
  })
  await putOff
  expect(prepared).toHaveLength(3)
  expect((prepared[1] ?? 0) - first).toBeGreaterThan(30)
  expect(performance.now() - (prepared[2] ?? 0)).toBeLessThan(2_000)
})
