import { expect, test } from 'vitest'
import { createPace, type Pace } from '../../src/pace.ts'

const { signal: never } = new AbortController()

/** The pace of the account as other processes would see it: what was asked of it, and the waits it gives. */
function account(waits: number[] = []) {
  const asked = { spacings: [] as number[], pauses: [] as number[] }
  const shared = {
    async reserve(spacingMs: number) {
      asked.spacings.push(spacingMs)
      return waits.shift() ?? 0
    },
    async pause(waitMs: number) {
      asked.pauses.push(waitMs)
    },
  }
  return { ...asked, shared }
}

async function take(pace: Pace, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await pace.turn(never)
}

test('every turn takes a moment of the account', async () => {
  const { shared, spacings } = account()
  await take(createPace(1, shared), 3)

  expect(spacings).toEqual([1, 1, 1])
})

test('a turn waits for the moment that the account gives it', async () => {
  const { shared } = account([30])
  const from = performance.now()
  await take(createPace(1, shared), 1)

  expect(performance.now() - from).toBeGreaterThanOrEqual(30)
})

test('a 429 is told to the other processes', async () => {
  const { shared, pauses } = account()
  await createPace(1, shared).throttled(7)

  expect(pauses).toEqual([7])
})

test('a turn that was stopped takes no moment of the account', async () => {
  const { shared, spacings } = account()
  const turn = createPace(1, shared).turn(AbortSignal.abort(new Error('stopped')))

  await expect(turn).rejects.toThrow('stopped')
  expect(spacings).toEqual([])
})

test('an account that cannot be asked fails the turn, and not the next one', async () => {
  const { shared } = account()
  let isDown = true
  const pace = createPace(1, {
    ...shared,
    reserve: async (ms) => (isDown ? Promise.reject(new Error('down')) : shared.reserve(ms)),
  })
  const failed = expect(pace.turn(never)).rejects.toThrow('down')
  await failed
  isDown = false

  await expect(pace.turn(never)).resolves.toBeUndefined()
})

test('without a delay nothing is spaced until a 429', async () => {
  const { shared, spacings } = account()
  await take(createPace(0, shared), 5)

  expect(spacings).toEqual([])
})

test('a 429 teaches a rate below the one that was accepted', async () => {
  const { shared, spacings } = account()
  const pace = createPace(0, shared)
  await take(pace, 201)
  await pace.throttled(0)
  await take(pace, 1)

  // 200 a second were accepted; a slow machine has sent fewer.
  expect(spacings[0]).toBeGreaterThanOrEqual(1_000 / 200 / 0.9)
})

test('the learned rate is kept to by this process too', async () => {
  const pace = createPace(0)
  await take(pace, 201)
  await pace.throttled(0)
  const from = performance.now()
  await take(pace, 5)

  expect(performance.now() - from).toBeGreaterThanOrEqual(4 * (1_000 / 200 / 0.9))
})

test('429s to requests that were under way already teach nothing new', async () => {
  const { shared, spacings } = account()
  const pace = createPace(0, shared)
  await take(pace, 201)
  await pace.throttled(0)
  await take(pace, 1)
  await pace.throttled(0)
  await take(pace, 1)

  expect(spacings[1]).toBe(spacings[0])
})

test('a 429 slows a pace that had a delay, and answers bring it back to that delay', async () => {
  const { shared, spacings } = account()
  let later = 0
  const pace = createPace(2, shared, () => performance.now() + later)
  await take(pace, 1)
  await pace.throttled(0)
  later = 60_000
  for (let answer = 0; answer < 300; answer += 1) pace.answered()
  await take(pace, 1)

  expect(spacings).toEqual([2, 2])
})

test('answers bring the rate back slowly', async () => {
  const { shared, spacings } = account()
  const pace = createPace(0, shared)
  await take(pace, 201)
  await pace.throttled(0)
  await take(pace, 1)
  pace.answered()
  await take(pace, 1)

  const [slowed = 0, after = 0] = spacings
  expect(after).toBeLessThan(slowed)
  expect(after).toBeGreaterThan(slowed * 0.99)
})
