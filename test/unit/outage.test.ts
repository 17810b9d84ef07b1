import { expect, test } from 'vitest'
import { createOutage, type OutageOptions } from '../../src/outage.ts'

const GONE = new Error('gone')
const SICK = new Error('sick')

/** A thing that is away for so many looks at it, waited for in milliseconds. */
function outageOf(options: Partial<OutageOptions> & { awayFor?: number } = {}) {
  const { awayFor = 0, ...rest } = options
  let looks = 0
  const told: string[] = []
  const outage = createOutage({
    isAway: (error) => error === GONE,
    sick: () => SICK,
    async probe() {
      looks += 1
      if (looks <= awayFor) throw GONE
    },
    patienceMs: 60_000,
    signal: new AbortController().signal,
    policy: { retries: 2, firstMs: 1, factor: 1, longestMs: 1 },
    onBegin: () => told.push('gone'),
    onEnd: () => told.push('back'),
    ...rest,
  })
  return { outage, told, looks: () => looks }
}

/** Work that fails so many times before it goes well. */
function failing(times: number, error = GONE) {
  const tries = { count: 0 }
  const work = async () => {
    tries.count += 1
    if (tries.count <= times) throw error
    return 'done'
  }
  return { work, tries }
}

test('what goes well is done once, and nobody is told', async () => {
  const { outage, told, looks } = outageOf()
  const { work, tries } = failing(0)
  expect(await outage.through(work)).toBe('done')
  expect([tries.count, told, looks()]).toEqual([1, [], 0])
})

test('a failure of another kind is passed on at once', async () => {
  const { outage, told } = outageOf()
  const other = new Error('refused')
  const { work, tries } = failing(1, other)
  await expect(outage.through(work)).rejects.toBe(other)
  expect([tries.count, told]).toEqual([1, []])
})

test('an absence is waited out, and told once when it begins and once when it ends', async () => {
  let isAway = true
  let looks = 0
  const { outage, told } = outageOf({
    async probe() {
      looks += 1
      if (looks === 5) isAway = false
      if (isAway) throw GONE
    },
  })
  const work = async () => {
    if (isAway) throw GONE
    return 'done'
  }
  const done = await Promise.all(Array.from({ length: 8 }, () => outage.through(work)))
  expect(done).toEqual(Array(8).fill('done'))
  expect(told).toEqual(['gone', 'back'])
})

test('what must not be lost is brought to safety once, before the first wait', async () => {
  const { outage } = outageOf({ awayFor: 3 })
  const { work, tries } = failing(3)
  const brought: number[] = []
  await outage.through(work, async () => void brought.push(tries.count))
  expect(brought).toEqual([1])
})

test('when patience is over the failure is passed on, and nobody begins to wait anew', async () => {
  let ms = 0
  const { outage, told } = outageOf({
    awayFor: Number.POSITIVE_INFINITY,
    patienceMs: 1_000,
    now: () => (ms += 100),
  })
  const first = failing(Number.POSITIVE_INFINITY)
  await expect(outage.through(first.work)).rejects.toBe(GONE)
  expect(first.tries.count).toBeGreaterThan(5)
  const second = failing(Number.POSITIVE_INFINITY)
  await expect(outage.through(second.work)).rejects.toBe(GONE)
  expect(second.tries.count).toBe(1)
  expect(told).toEqual(['gone'])
})

test('one piece of work that fails while the thing is there is sick, and ends nothing else', async () => {
  const { outage, told } = outageOf()
  const { work, tries } = failing(Number.POSITIVE_INFINITY)
  await expect(outage.through(work)).rejects.toBe(SICK)
  expect([tries.count, told]).toEqual([3, []])
})

test('sickness is counted anew after an absence: work whose outage has just ended is not sick', async () => {
  let isAway = true
  let tries = 0
  const { outage } = outageOf({
    async probe() {
      if (tries === 9) isAway = false
      if (isAway) throw GONE
    },
  })
  const work = async () => {
    tries += 1
    // The first try after the return fails too: the probe was answered a moment before.
    if (isAway || tries === 10) throw GONE
    return 'done'
  }
  expect(await outage.through(work)).toBe('done')
})

test('several sick ones in a row are an absence after all, which a probe does not see', async () => {
  const { outage } = outageOf()
  const sick = () => outage.through(failing(Number.POSITIVE_INFINITY).work)
  await expect(sick()).rejects.toBe(SICK)
  await outage.through(failing(0).work)
  await expect(sick()).rejects.toBe(SICK)
  await expect(sick()).rejects.toBe(SICK)
  await expect(sick()).rejects.toBe(GONE)
})

test('a probe that is never answered holds nobody up once the run is to end', async () => {
  const end = new AbortController()
  const { outage } = outageOf({
    signal: end.signal,
    probe() {
      queueMicrotask(() => end.abort())
      return new Promise(() => {})
    },
  })
  await expect(outage.through(failing(9).work)).rejects.toBe(GONE)
})

test('an abort ends a wait with the failure', async () => {
  const stop = new AbortController()
  const { outage } = outageOf({
    awayFor: Number.POSITIVE_INFINITY,
    signal: stop.signal,
    policy: { retries: 2, firstMs: 1_000_000, factor: 1, longestMs: 1_000_000 },
    onBegin: () => stop.abort(),
  })
  await expect(outage.through(failing(9).work)).rejects.toBe(GONE)
})
