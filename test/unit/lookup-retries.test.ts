import { expect, test } from 'vitest'
import { LookupFailure } from '../../src/errors.ts'
import {
  ANSWER,
  LOST,
  REFUSED,
  REJECTED,
  SERVER_FAULT,
  type Step,
  scriptedLookups,
  throttled,
  UNREACHABLE,
} from './scripted-lookups.ts'

test.each<[what: string, steps: Step[], attempts: number, uncertain: number]>([
  ['at once', ['answer'], 1, 0],
  ['after server faults', [SERVER_FAULT, SERVER_FAULT, 'answer'], 3, 0],
  ['after nobody listened', [UNREACHABLE, 'answer'], 2, 0],
  ['after a lost answer', [LOST, 'answer'], 2, 1],
  ['after 429s, which are requests too', [throttled(5), throttled(6), 'answer'], 3, 0],
  ['after a bit of everything', [throttled(5), LOST, SERVER_FAULT, UNREACHABLE, 'answer'], 5, 1],
])('an answer that comes %s says how many requests it took', async (_what, steps, ...counts) => {
  const [attempts, uncertain] = counts
  const { lookUp } = scriptedLookups({ steps })

  await expect(lookUp()).resolves.toEqual({ response: ANSWER, attempts, uncertain })
})

test.each<[what: string, step: Step, requests: number]>([
  ['a server fault is asked again as often as the policy says', SERVER_FAULT, 4],
  ['an unreachable API is asked again as often as the policy says', UNREACHABLE, 4],
  ['a rejected image is never asked about again', REJECTED, 1],
  ['a refused key is never tried again', REFUSED, 1],
])('%s', async (_what, step, requests) => {
  const { lookUp, seen } = scriptedLookups({ steps: Array(9).fill(step), retries: 3 })

  await expect(lookUp()).rejects.toMatchObject({
    ...(step instanceof Error && { message: step.message }),
    attempts: requests,
    uncertain: 0,
  })
  expect(seen.requests).toBe(requests)
})

test('a failure keeps all that was known of its last attempt', async () => {
  const failure = await scriptedLookups({ steps: [SERVER_FAULT], retries: 0 })
    .lookUp()
    .catch((thrown) => thrown)

  expect(failure).toBeInstanceOf(LookupFailure)
  expect(failure).toMatchObject({ ...SERVER_FAULT, name: 'LookupError', scope: 'image' })
})

test('each request is told of before it is sent', async () => {
  const told: number[] = []
  const { lookUp, seen } = scriptedLookups({
    steps: [throttled(1), SERVER_FAULT, 'answer'],
    onAttempt: () => told.push(seen.requests),
  })
  await lookUp()

  expect(told).toEqual([0, 1, 2])
})

test('a bug is thrown as it is, and not tried again', async () => {
  const bug = new TypeError('x is undefined')
  const send = async () => Promise.reject(bug)

  await expect(scriptedLookups({ send }).lookUp()).rejects.toBe(bug)
})

test('a run that stops begins no lookup', async () => {
  const { lookUp, stop, seen } = scriptedLookups({})
  stop.abort(new Error('stopped'))

  await expect(lookUp()).rejects.toThrow('stopped')
  expect(seen.requests).toBe(0)
})

test('an answer that comes after the stop is kept', async () => {
  const { lookUp, stop } = scriptedLookups({ beforeAnswer: () => stop.abort() })

  await expect(lookUp()).resolves.toMatchObject({ response: ANSWER, attempts: 1 })
})

test.each<[what: string, step: Step, told: string]>([
  ['an answer', 'answer', 'answered'],
  ['a rejected image', REJECTED, 'answered'],
  ['a server fault', SERVER_FAULT, 'unanswered'],
  ['an unreachable API', UNREACHABLE, 'unanswered'],
  ['a lost answer', LOST, 'unanswered'],
  ['a refused key', REFUSED, 'refused 403'],
])('what %s says about the API is told to the pace', async (_what, step, told) => {
  const { lookUp, seen } = scriptedLookups({ steps: [step], retries: 0 })
  await lookUp().catch(() => {})

  expect(seen.told).toEqual([told])
})

test('what fails after the stop says nothing about the API', async () => {
  const { lookUp, seen, stop } = scriptedLookups({
    steps: [LOST],
    beforeAnswer: () => stop.abort(),
  })
  await expect(lookUp()).rejects.toMatchObject({ code: 'answer_lost' })

  expect(seen.told).toEqual([])
})

test('an account that cannot be told hides no failure', async () => {
  const pace = {
    turn: async () => ({ at: 0, spacingMs: 0, outcome: undefined }),
    throttled: async () => {},
    answered: () => {},
    unanswered: () => Promise.reject(new Error('the database is away')),
    refused: () => Promise.reject(new Error('the database is away')),
  }
  for (const [step, code] of [
    [SERVER_FAULT, 'api_error'],
    [REFUSED, 'api_refused'],
  ] as const) {
    const { lookUp } = scriptedLookups({ steps: [step], retries: 0, pace })
    await expect(lookUp()).rejects.toMatchObject({ code })
  }
})
