import { expect, test } from 'vitest'
import { delayAfter, withRetry } from '../../src/retry.ts'

const policy = { retries: 4, firstMs: 100, factor: 2, longestMs: 300 }
const quick = { retries: 3, firstMs: 1, factor: 1, longestMs: 1 }
/** Long enough that a test which waits it out fails. */
const long = { retries: 3, firstMs: 60_000, factor: 1, longestMs: 60_000 }
const always = () => true
const { signal: never } = new AbortController()

test.each<[rule: string, attempt: number, random: number, waitMs: number]>([
  ['starts at half the first delay', 1, 0, 50],
  ['is at most the first delay after the first attempt', 1, 1, 100],
  ['is spread over the upper half', 1, 0.5, 75],
  ['doubles each time', 2, 1, 200],
  ['doubles its least too', 2, 0, 100],
  ['is capped', 3, 1, 300],
  ['spreads what is capped', 3, 0, 150],
  ['stays capped after very many attempts', 5_000, 1, 300],
])('backoff %s', (_rule, attempt, random, waitMs) => {
  expect(delayAfter(attempt, policy, random)).toBe(waitMs)
})

/** Work that fails so many times and then succeeds, counted. */
function failing(times: number) {
  const work = {
    attempts: 0,
    async run() {
      work.attempts += 1
      if (work.attempts <= times) throw new Error(`failure ${work.attempts}`)
      return `result ${work.attempts}`
    },
  }
  return work
}

test('what goes well is done once', async () => {
  const work = failing(0)

  await expect(withRetry(work.run, quick, always, never)).resolves.toBe('result 1')
  expect(work.attempts).toBe(1)
})

test('what fails is tried again until it goes well', async () => {
  await expect(withRetry(failing(3).run, quick, always, never)).resolves.toBe('result 4')
})

test("gives up at the policy's end with the last failure", async () => {
  const work = failing(99)

  await expect(withRetry(work.run, quick, always, never)).rejects.toThrow('failure 4')
  expect(work.attempts).toBe(4)
})

test('a policy without retries tries once', async () => {
  const work = failing(99)

  await expect(withRetry(work.run, { ...long, retries: 0 }, always, never)).rejects.toThrow()
  expect(work.attempts).toBe(1)
})

test('never tries again what may not be', async () => {
  const work = failing(99)
  const mayRetry = ({ message }: Error) => message !== 'failure 2'

  await expect(withRetry(work.run, quick, mayRetry, never)).rejects.toThrow('failure 2')
  expect(work.attempts).toBe(2)
})

test('an abort during a wait gives the last failure at once', async () => {
  const stop = new AbortController()
  const work = failing(99)
  const retried = withRetry(work.run, long, always, stop.signal)
  setImmediate(() => stop.abort())

  await expect(retried).rejects.toThrow('failure 1')
  expect(work.attempts).toBe(1)
})

test('after an abort nothing is tried again', async () => {
  const stop = new AbortController()
  const work = async () => {
    stop.abort()
    throw new Error('failed late')
  }

  await expect(withRetry(work, long, always, stop.signal)).rejects.toThrow('failed late')
})

test('a result that comes after the abort is not thrown away', async () => {
  const stop = new AbortController()
  const work = async () => {
    stop.abort()
    return 'paid for'
  }

  await expect(withRetry(work, quick, always, stop.signal)).resolves.toBe('paid for')
})
