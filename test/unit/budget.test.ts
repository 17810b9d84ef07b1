import { expect, test } from 'vitest'
import { createBudget } from '../../src/look-up-plates.ts'
import {
  LOST,
  REJECTED,
  SERVER_FAULT,
  type Step,
  scriptedLookups,
  throttled,
  UNREACHABLE,
} from './scripted-lookups.ts'

const USED_UP = { code: 'max_lookups', scope: 'run' }

test('a budget is taken until nothing is left', () => {
  const budget = createBudget(2)

  expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false])
})

test('what is given back can be taken again', () => {
  const budget = createBudget(1)
  budget.take()
  budget.giveBack()

  expect([budget.take(), budget.take()]).toEqual([true, false])
})

test('a budget of 0 sends nothing', async () => {
  const { lookUp, seen } = scriptedLookups({ maxLookups: 0 })

  await expect(lookUp()).rejects.toMatchObject({ ...USED_UP, attempts: 0 })
  expect(seen.requests).toBe(0)
})

test('no budget is no limit', async () => {
  const { lookUp, seen } = scriptedLookups({})
  for (let lookup = 0; lookup < 50; lookup += 1) await lookUp()

  expect(seen.requests).toBe(50)
})

test('lookups side by side send no more than the budget', async () => {
  const { lookUp, seen } = scriptedLookups({ maxLookups: 3 })
  const lookups = await Promise.allSettled(Array.from({ length: 8 }, lookUp))

  expect(seen.requests).toBe(3)
  expect(lookups.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
})

test.each<[what: string, step: Step, requests: number]>([
  ['a server fault may be billed', SERVER_FAULT, 2],
  ['a 429 is not billed', throttled(1), 4],
  ['a request that never left is not billed', UNREACHABLE, 4],
])('with a budget of 2, %s', async (_what, step, requests) => {
  const { lookUp, seen } = scriptedLookups({ maxLookups: 2, steps: [step, step] })
  await lookUp().catch(() => {})
  await lookUp().catch(() => {})
  await lookUp().catch(() => {})

  expect(seen.requests).toBe(requests)
})

test('a lost answer may be billed, each time', async () => {
  const { lookUp, seen } = scriptedLookups({ maxLookups: 2, steps: [LOST, LOST] })
  await expect(lookUp()).rejects.toMatchObject({ code: 'answer_lost', uncertain: 2 })

  await expect(lookUp()).rejects.toMatchObject(USED_UP)
  expect(seen.requests).toBe(2)
})

test('a rejected image gives its lookup back', async () => {
  const { lookUp } = scriptedLookups({ maxLookups: 1, steps: [REJECTED, 'answer'] })
  await expect(lookUp()).rejects.toMatchObject({ code: 'api_rejected' })

  await expect(lookUp()).resolves.toBeDefined()
  await expect(lookUp()).rejects.toMatchObject(USED_UP)
})
