import { expect, test } from 'vitest'
import { createPace, type Pace } from '../../src/pace.ts'
import type { Ask, Heard, Reserved, SharedPace } from '../../src/shared-pace.ts'
import { fakeTime } from './throttled-api.ts'

const { signal: never } = new AbortController()

type Answers = Partial<Reserved> & { roundTripMs?: number; outageMs?: number }

/** The pace of the account as other processes would see it: what was asked of it, and the answers it gives. */
function account(answers: Answers = {}) {
  const { clock, sleep, passUntil } = fakeTime()
  const began = clock.now()
  const asked: Ask[] = []
  const pauses: number[] = []
  const told: unknown[] = []
  const state = { heard: 0, isDown: false, nextAt: began, outageMs: 0, ...answers }
  const rest = (): Heard => ({
    others: state.others ?? { delayMs: 0, spacingMs: 0, runs: 1 },
    pausedMs: state.pausedMs ?? 0,
    nextMs: state.nextAt - clock.now(),
    ...(state.refusedStatus !== undefined && { refusedStatus: state.refusedStatus }),
  })
  const shared: SharedPace = {
    async reserve(ask) {
      asked.push(ask)
      if (ask.isAnswered) told.push('answered')
      await sleep((state.roundTripMs ?? 0) / 2)
      if (state.isDown) throw new Error('down')
      const spacingMs = state.spacingMs ?? ask.spacingMs
      const first = Math.max(
        state.nextAt + ask.lateMs,
        clock.now() + ask.pauseMs + (state.waitMs ?? 0),
      )
      state.nextAt = first + ask.count * spacingMs
      const said = clock.now()
      const waitMs = first - said
      await sleep((state.roundTripMs ?? 0) / 2)
      return { ...rest(), waitMs, spacingMs, nowMs: said + 1e12 }
    },
    async hear({ isAnswered }) {
      state.heard += 1
      if (isAnswered) told.push('answered')
      await sleep(state.roundTripMs ?? 0)
      if (state.isDown) throw new Error('down')
      return rest()
    },
    async pause(waitMs) {
      pauses.push(waitMs)
    },
    async unanswered(failure) {
      told.push(failure)
      return state.outageMs
    },
    async refuse(status) {
      told.push(status)
    },
  }
  const starts: number[] = []
  /** Takes so many turns at once. */
  const take = (pace: Pace, turns: number) =>
    Array.from({ length: turns }, async () => {
      const start = await pace.turn(never)
      starts.push(start.at - began)
      return start
    })
  const pass = (ms: number) => passUntil(began + ms)
  return { shared, clock, asked, pauses, told, state, starts, take, pass }
}

test('every turn takes a moment of the account', async () => {
  const { shared, clock, asked, starts, take, pass } = account()
  take(createPace(100, shared, clock), 4)
  await pass(1_000)

  expect(asked.reduce((sum, { count }) => sum + count, 0)).toBe(4)
  expect(starts).toEqual([0, 100, 200, 300])
})

test('a turn waits for the moment that the account gives it', async () => {
  const { shared, clock, starts, take, pass } = account({ waitMs: 30 })
  take(createPace(1, shared, clock), 1)
  await pass(1_000)

  expect(starts).toEqual([30])
})

test('the longest spacing on the account holds for the starts of this process too', async () => {
  const { shared, clock, starts, take, pass } = account({ spacingMs: 250 })
  take(createPace(100, shared, clock), 3)
  await pass(1_000)

  expect(starts).toEqual([0, 250, 500])
})

test.each([
  [40, 50],
  [200, 50],
  [200, 125],
])('a database %s ms away costs no moment of %s ms', async (roundTripMs, delayMs) => {
  const { shared, clock, asked, starts, take, pass } = account({ roundTripMs })
  take(createPace(delayMs, shared, clock), 60)
  await pass(60 * delayMs + 2 * roundTripMs)

  expect(starts).toHaveLength(60)
  const most = Math.ceil((2 * roundTripMs) / delayMs) + 1
  expect(Math.max(...asked.map(({ count }) => count))).toBeLessThanOrEqual(most)
})

test('no moment is reserved for nobody', async () => {
  const { shared, clock, asked, take, pass } = account({ roundTripMs: 200 })
  const pace = createPace(10, shared, clock)
  take(pace, 1)
  await pass(1_000)
  take(pace, 1)
  await pass(2_000)

  expect(asked.map(({ count }) => count)).toEqual([1, 1])
})

test('the moment of a turn that was stopped goes to the next', async () => {
  const { shared, clock, asked, starts, take, pass } = account({ roundTripMs: 100 })
  const pace = createPace(100, shared, clock)
  const stop = new AbortController()
  const stopped = expect(pace.turn(stop.signal)).rejects.toThrow('stopped')
  await pass(50)
  stop.abort(new Error('stopped'))
  await stopped
  take(pace, 1)
  await pass(1_000)

  expect(starts).toEqual([100])
  expect(asked).toHaveLength(1)
})

test('a turn that was stopped before it was asked for takes no moment of the account', async () => {
  const { shared, clock, asked } = account()
  const turn = createPace(1, shared, clock).turn(AbortSignal.abort(new Error('stopped')))

  await expect(turn).rejects.toThrow('stopped')
  expect(asked).toEqual([])
})

test('an account that cannot be asked fails the turn, and not the next one', async () => {
  const { shared, clock, state, starts, take, pass } = account()
  state.isDown = true
  const pace = createPace(1, shared, clock)
  const failed = expect(pace.turn(never)).rejects.toThrow('down')
  await pass(10)
  await failed
  state.isDown = false
  take(pace, 1)
  await pass(20)

  expect(starts).toHaveLength(1)
})

test('a process that starts late tells the account, and does not fall behind for good', async () => {
  const { shared, clock, asked, take, pass } = account()
  // Every timer is 30 ms late.
  const late = { ...clock, wake: (at: number, work: () => void) => clock.wake(at + 30, work) }
  take(createPace(100, shared, late), 20)
  await pass(5_000)

  const lags = asked.map(({ lateMs }) => lateMs)
  expect(Math.max(...lags)).toBeGreaterThan(20)
  expect(Math.max(...lags)).toBeLessThan(100)
})

test('a 429 is told to the other processes, and moments before its end are given up', async () => {
  const { shared, clock, pauses, state, starts, take, pass } = account()
  const pace = createPace(100, shared, clock)
  const [first] = take(pace, 4)
  await pass(50)
  state.nextAt = 0
  if (first !== undefined) await pace.throttled(await first, 2_000)
  await pass(5_000)

  expect(pauses).toEqual([2_000])
  expect(starts).toEqual([0, 2_050, 2_150, 2_250])
})

test('moments that were being asked for when a 429 came are given up too', async () => {
  const { shared, clock, asked, starts, take, pass } = account({ roundTripMs: 60 })
  const pace = createPace(100, shared, clock)
  const [first] = take(pace, 4)
  await pass(70)
  if (first !== undefined) await pace.throttled(await first, 2_000)
  await pass(5_000)

  expect(Math.max(...asked.map(({ lateMs }) => lateMs))).toBe(0)
  expect(starts[1]).toBeGreaterThanOrEqual(2_070)
  expect(starts.at(-1)).toBeLessThan(2_600)
})

test('a pause that another process was told holds this one', async () => {
  const { shared, clock, state, starts, take, pass } = account()
  const pace = createPace(100, shared, clock)
  take(pace, 6)
  await pass(150)
  Object.assign(state, { pausedMs: 1_000, nextAt: 1_150 + clock.now() - 150 })
  await pass(450)
  state.pausedMs = 0
  await pass(5_000)

  expect(starts.filter((at) => at > 300 && at < 1_150)).toEqual([])
  expect(starts).toHaveLength(6)
})

test('without a delay and with nothing learned, the account is asked once in a while and not for each turn', async () => {
  const { shared, clock, asked, state, starts, take, pass } = account({ roundTripMs: 100 })
  const pace = createPace(0, shared, clock)
  for (let second = 0; second < 14; second += 1) {
    take(pace, 50)
    await pass(second * 1_000 + 500)
  }

  expect(starts).toHaveLength(700)
  expect(asked).toEqual([])
  expect(state.heard).toBe(3)
})

test('without a delay the delay of another process is heard of before the first turn, and kept to', async () => {
  const others = { delayMs: 400, spacingMs: 400, runs: 2 }
  const { shared, clock, starts, take, pass } = account({ others, spacingMs: 400, roundTripMs: 10 })
  take(createPace(0, shared, clock), 4)
  await pass(5_000)

  expect(starts.slice(1).map((at, place) => at - (starts[place] ?? 0))).toEqual([400, 400, 400])
})

test('without a delay what others ask for is forgotten when they are gone', async () => {
  const others = { delayMs: 400, spacingMs: 400, runs: 2 }
  const { shared, clock, state, starts, take, pass } = account({ others, spacingMs: 400 })
  take(createPace(0, shared, clock), 10)
  await pass(1_000)
  Object.assign(state, { others: { delayMs: 0, spacingMs: 0, runs: 1 }, spacingMs: 0, nextAt: 0 })
  await pass(2_000)

  expect(starts).toHaveLength(10)
})

test('what is learned from 429s is told to the account with each moment', async () => {
  const { shared, clock, asked, take, pass } = account()
  const pace = createPace(0, shared, clock)
  const turns = take(pace, 12)
  await pass(10)
  for (const [place, start] of (await Promise.all(turns)).entries()) {
    if (place < 8) pace.answered(start)
    else await pace.throttled(start, 1_000)
  }
  take(pace, 3)
  await pass(3_000)

  for (const { spacingMs, learnedMs } of asked) {
    expect(spacingMs).toBeGreaterThan(1_000 / 8)
    expect(spacingMs).toBeLessThan(1_100 / 8)
    expect(learnedMs).toBe(spacingMs)
  }
  expect(asked.length).toBeGreaterThan(0)
})

test('a moment far ahead is dropped when the delay has become shorter, and another one is taken', async () => {
  const others = { delayMs: 60_000, spacingMs: 60_000, runs: 2 }
  const { shared, clock, state, starts, take, pass } = account({ others, spacingMs: 60_000 })
  take(createPace(0, shared, clock), 4)
  await pass(10_000)
  expect(starts).toEqual([0])
  const shorter = { delayMs: 130, spacingMs: 130, runs: 2 }
  Object.assign(state, { others: shorter, spacingMs: 130, nextAt: clock.now() + 6_000 })
  await pass(20_000)

  expect(starts).toEqual([0, 16_000, 16_130, 16_260])
})

test('who waits for a moment far ahead hears of the account every few seconds, who has moments all the time does not', async () => {
  const waiting = account({ roundTripMs: 10 })
  waiting.take(createPace(60_000, waiting.shared, waiting.clock), 2)
  await waiting.pass(31_000)
  expect(waiting.state.heard).toBe(6)
  const busy = account({ roundTripMs: 10 })
  busy.take(createPace(130, busy.shared, busy.clock), 200)
  await busy.pass(20_000)
  expect(busy.state.heard).toBe(0)
})

test('a refusal that another process met fails all who wait here, and all who come after', async () => {
  const { shared, clock, state, starts, take, pass } = account()
  const pace = createPace(60_000, shared, clock)
  const [, ...waiting] = take(pace, 3).map((turn) => turn.catch((error: unknown) => error))
  await pass(1_000)
  state.refusedStatus = 403
  await pass(6_000)

  const facts = { code: 'api_refused', scope: 'run', status: 403 }
  const message = expect.stringMatching(/^The API refused the key to another process/)
  for (const turn of waiting) expect(await turn).toMatchObject({ ...facts, message })
  await expect(pace.turn(never)).rejects.toMatchObject(facts)
  expect(starts).toEqual([0])
})

test('a refusal of its own fails all who wait at once, and is told to the other processes', async () => {
  const { shared, clock, told, take, pass } = account()
  const pace = createPace(60_000, shared, clock)
  const [, waiting] = take(pace, 2).map((turn) => turn.catch((error: unknown) => error))
  await pass(1_000)
  const refusal = new Error('The API answered 403.')
  await pace.refused(refusal, 403)

  expect(await waiting).toBe(refusal)
  await expect(pace.turn(never)).rejects.toBe(refusal)
  expect(told).toEqual([403])
})

test('a failure for want of the API is told with its age, and everybody waits as long as the account says', async () => {
  const { shared, clock, told, state, starts, take, pass } = account()
  const pace = createPace(100, shared, clock)
  const [first] = take(pace, 3)
  await pass(50)
  Object.assign(state, { outageMs: 4_000, nextAt: clock.now() + 4_000 })
  if (first !== undefined) await pace.unanswered(await first)
  await pass(9_000)

  expect(told).toEqual([{ agoMs: 50, isAnswered: false }])
  expect(starts).toEqual([0, 4_050, 4_150])
})

test('that the API has answered is told once, with whatever the account is asked next', async () => {
  const { shared, clock, told, take, pass } = account()
  const pace = createPace(100, shared, clock)
  const [first] = take(pace, 1)
  await pass(10)
  if (first !== undefined) {
    pace.answered(await first)
    await pace.unanswered(await first)
    await pace.unanswered(await first)
    pace.answered(await first)
  }
  take(pace, 2)
  await pass(1_000)

  expect(told).toEqual([
    { agoMs: 10, isAnswered: true },
    { agoMs: 10, isAnswered: false },
    'answered',
  ])
})
