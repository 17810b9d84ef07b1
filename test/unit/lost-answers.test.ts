import { expect, test } from 'vitest'
import { type LookupError, LookupFailure } from '../../src/errors.ts'
import type { LostAnswer } from '../../src/look-up-plates.ts'
import {
  LOST,
  REFUSED,
  REJECTED,
  SERVER_FAULT,
  type Step,
  scriptedLookups,
  throttled,
} from './scripted-lookups.ts'

test.each<[lostAnswer: LostAnswer, what: string, steps: Step[], requests: number]>([
  ['fail', 'never asks again', [LOST], 1],
  ['fail', 'asks again after anything else', [SERVER_FAULT, LOST], 2],
  ['once', 'asks once more', [LOST, LOST], 2],
  ['once', 'asks once more, whatever came between', [LOST, SERVER_FAULT, LOST], 3],
  ['retry', 'asks as often as the policy says', [LOST, LOST, LOST, LOST], 4],
])('--lost-answer %s %s', async (lostAnswer, _what, steps, requests) => {
  const { lookUp, seen } = scriptedLookups({ steps, lostAnswer, retries: 3 })

  await expect(lookUp()).rejects.toMatchObject({
    code: 'answer_lost',
    attempts: requests,
    uncertain: steps.filter((step) => step === LOST).length,
  })
  expect(seen.requests).toBe(requests)
})

test.each<[last: string, step: LookupError]>([
  ['a rejection', REJECTED],
  ['a server fault', SERVER_FAULT],
])('a lost answer before %s is still counted', async (_last, step) => {
  const { lookUp } = scriptedLookups({ steps: [LOST, step], retries: 1 })

  await expect(lookUp()).rejects.toMatchObject({ code: step.code, attempts: 2, uncertain: 1 })
})

// What stops the run gives images back untouched; this one may have been billed, and that has to be remembered.
test.each<[what: string, steps: Step[], maxLookups: number | undefined]>([
  ['the budget is used up before it is asked for again', [LOST], 1],
  ['the API refuses the key then', [LOST, REFUSED], undefined],
])('a lost answer is what is told when %s', async (_what, steps, maxLookups) => {
  const budget = maxLookups === undefined ? {} : { maxLookups }
  const { lookUp } = scriptedLookups({ steps, ...budget })

  await expect(lookUp()).rejects.toMatchObject({
    code: 'answer_lost',
    scope: 'image',
    uncertain: 1,
  })
})

test('a lost answer is what is told when the run stops before it is asked for again', async () => {
  const { lookUp, stop } = scriptedLookups({
    steps: [LOST, throttled(1)],
    beforeAnswer: (requests) => requests === 2 && stop.abort(),
  })

  await expect(lookUp()).rejects.toMatchObject({ code: 'answer_lost', attempts: 2, uncertain: 1 })
})

const LOST_THEN_REJECTED = new LookupFailure(REJECTED, { attempts: 2, uncertain: 1 })

test('a lookup that goes on with another one counts the answers that were lost before', async () => {
  const { lookUp, seen } = scriptedLookups({ steps: [LOST], lostAnswer: 'once' })

  await expect(lookUp(LOST_THEN_REJECTED)).rejects.toMatchObject({
    code: 'answer_lost',
    attempts: 3,
    uncertain: 2,
  })
  expect(seen.requests).toBe(1)
})

test('a lookup that goes on with another one tells of the requests of both', async () => {
  const { lookUp } = scriptedLookups({})

  expect(await lookUp(LOST_THEN_REJECTED)).toMatchObject({ attempts: 3, uncertain: 1 })
})

test('an answer lost before is what is told when the run stops', async () => {
  const { lookUp, stop } = scriptedLookups({})
  stop.abort()

  await expect(lookUp(LOST_THEN_REJECTED)).rejects.toMatchObject({ attempts: 2, uncertain: 1 })
})
