import { expect, test } from 'vitest'
import { createPace, type Pace } from '../../src/pace.ts'
import { fakeTime } from './throttled-api.ts'

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

test('a 429 holds everybody for as long as it says', async () => {
  const pace = createPace(1)
  const start = await pace.turn(never)
  const from = performance.now()
  await pace.throttled(start, 30)
  const spent = performance.now() - from

  for (const ms of await starts(pace, 3)) expect(ms).toBeGreaterThanOrEqual(30 - spent)
})

test('a 429 holds those who wait already', async () => {
  const pace = createPace(1)
  const start = await pace.turn(never)
  await pace.throttled(start, 10)
  const waiting = starts(pace, 1)
  await pace.throttled(start, 40)

  expect((await waiting)[0]).toBeGreaterThanOrEqual(40)
})

test('a shorter 429 does not end a longer one', async () => {
  const pace = createPace(1)
  const start = await pace.turn(never)
  const from = performance.now()
  await pace.throttled(start, 40)
  await pace.throttled(start, 1)
  await pace.turn(never)

  expect(performance.now() - from).toBeGreaterThanOrEqual(40)
})

test('an abort ends a wait at once', async () => {
  const pace = createPace(0)
  await pace.throttled(await pace.turn(never), 60_000)
  const stop = new AbortController()
  const turn = pace.turn(stop.signal)
  setImmediate(() => stop.abort())

  await expect(turn).rejects.toThrow()
})

test('an abort in the queue lets the next go on', async () => {
  const fake = fakeTime()
  const pace = createPace(5, undefined, fake.clock)
  const stop = new AbortController()
  const order: string[] = []
  const takes = async (name: string, signal: AbortSignal) => {
    await pace.turn(signal)
    order.push(name)
  }
  const turns = [takes('first', never), takes('aborted', stop.signal), takes('next', never)]
  stop.abort(new Error('stopped'))

  const settled = Promise.allSettled(turns)
  await fake.passUntil(2_000)
  const [, aborted] = await settled
  expect(aborted).toMatchObject({ status: 'rejected', reason: new Error('stopped') })
  expect(order).toEqual(['first', 'next'])
})

test('an aborted turn uses up no time of the others', async () => {
  const pace = createPace(60_000)
  const stopped = AbortSignal.abort(new Error('stopped'))

  await expect(pace.turn(stopped)).rejects.toThrow('stopped')
  await expect(pace.turn(never)).resolves.toMatchObject({ outcome: undefined })
})

test('what must be so when a request leaves is seen to shortly before its turn, and again when that was put off', async () => {
  const pace = createPace(150)
  const prepared: number[] = []
  const prepare = async () => void prepared.push(performance.now())
  const start = await pace.turn(never, prepare)
  const first = performance.now()
  const putOff = pace.turn(never, async () => {
    await prepare()
    // Another lookup was told to wait while this one was ready.
    if (prepared.length === 2) await pace.throttled(start, 2_100)
  })
  await putOff
  expect(prepared).toHaveLength(3)
  expect((prepared[1] ?? 0) - first).toBeGreaterThan(30)
  expect(performance.now() - (prepared[2] ?? 0)).toBeLessThan(2_000)
})

/** Turns in fake time, each prepared for so long; tells when each began, and how many prepared at a time. */
async function prepared(pace: Pace, { sleep, passUntil, clock }: Fake, forMs: readonly number[]) {
  const from = clock.now()
  const began: number[] = []
  let [atOnce, most] = [0, 0]
  for (const [place, ms] of forMs.entries()) {
    const prepare = async () => {
      atOnce += 1
      most = Math.max(most, atOnce)
      await sleep(ms)
      atOnce -= 1
    }
    void pace.turn(never, prepare).then(({ at }) => {
      began[place] = at - from
    })
  }
  await passUntil(from + 60_000)
  return { began, most }
}
type Fake = ReturnType<typeof fakeTime>

test('preparing takes nothing from the rate, however long it takes', async () => {
  const fake = fakeTime()
  const pace = createPace(100, undefined, fake.clock)
  const { began, most } = await prepared(pace, fake, Array(40).fill(450))

  expect(most).toBeGreaterThan(3)
  const gaps = began.slice(1).map((at, place) => at - (began[place] ?? 0))
  // The first ones could not know how long it takes.
  expect(gaps.slice(10)).toEqual(Array(29).fill(100))
})

test('one whose preparation takes long holds up nobody', async () => {
  const fake = fakeTime()
  const pace = createPace(100, undefined, fake.clock)
  const { began } = await prepared(pace, fake, [0, 1_000, 0, 0])

  expect([began[0], began[2], began[3]]).toEqual([0, 100, 200])
  expect(began[1]).toBeGreaterThanOrEqual(1_000)
})

test('without anything to wait for all prepare at once', async () => {
  const fake = fakeTime()
  const { began, most } = await prepared(createPace(0, undefined, fake.clock), fake, [9, 9, 9])

  expect(most).toBe(3)
  expect(began).toEqual([9, 9, 9])
})

test('a preparation that fails fails its turn, and its moment goes to the next', async () => {
  const pace = createPace(1)
  const failed = pace.turn(never, () => Promise.reject(new Error('taken over')))

  await expect(failed).rejects.toThrow('taken over')
  await expect(pace.turn(never)).resolves.toMatchObject({ outcome: undefined })
})

test('no two starts are closer than the delay, and hardly farther', async () => {
  const fake = fakeTime()
  const pace = createPace(130, undefined, fake.clock)
  const { began } = await prepared(pace, fake, Array(100).fill(5))

  expect(began.at(-1)).toBe((began[0] ?? 0) + 99 * 130)
})
