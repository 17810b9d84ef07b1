import { expect, test } from 'vitest'
import { SERVER_FAULT, type Step, scriptedLookups, throttled } from './scripted-lookups.ts'

const MINUTE = 60_000

test('a 429 uses no retry, and is waited out as long as it says', async () => {
  const waits = [1_000, 3_600_000, 0]
  const { lookUp, seen } = scriptedLookups({ steps: waits.map(throttled), retries: 0 })

  await expect(lookUp()).resolves.toMatchObject({ attempts: 4 })
  expect(seen.waits).toEqual(waits)
})

test('each wait is told', async () => {
  const told: number[] = []
  const { lookUp } = scriptedLookups({
    steps: [throttled(7), throttled(8)],
    onThrottled: (waitMs) => told.push(waitMs),
  })
  await lookUp()

  expect(told).toEqual([7, 8])
})

/** Lookups whose requests come at these minutes, one after another. */
function lookUpAt(minutes: readonly number[], steps: readonly Step[]) {
  let request = 0
  const beforeAnswer = (requests: number) => {
    request = requests
  }
  return scriptedLookups({ steps, beforeAnswer, now: () => (minutes[request - 1] ?? 0) * MINUTE })
}

test('15 minutes of nothing but 429 are api_down', async () => {
  const { lookUp, seen } = lookUpAt([0, 7, 14.9, 15], Array(9).fill(throttled(1)))

  await expect(lookUp()).rejects.toMatchObject({
    code: 'api_down',
    scope: 'run',
    message: 'The API has answered nothing but 429 for 15 minutes.',
    attempts: 4,
  })
  expect(seen.requests).toBe(4)
})

test('a first 429 is not api_down, however long there was nothing to look up', async () => {
  const { lookUp } = lookUpAt([60, 61], [throttled(1), 'answer'])

  await expect(lookUp()).resolves.toMatchObject({ attempts: 2 })
})

test('an answer begins the 15 minutes anew', async () => {
  const { lookUp } = lookUpAt([0, 14, 16, 29], [throttled(1), 'answer', throttled(1), 'answer'])

  await expect(lookUp()).resolves.toMatchObject({ attempts: 2 })
  await expect(lookUp()).resolves.toMatchObject({ attempts: 2 })
})

test('a 429 between two failures leaves the retries as they were', async () => {
  const steps = [SERVER_FAULT, throttled(1), SERVER_FAULT, throttled(1), 'answer'] as const

  await expect(scriptedLookups({ steps, retries: 2 }).lookUp()).resolves.toMatchObject({
    attempts: 5,
  })
  await expect(scriptedLookups({ steps, retries: 1 }).lookUp()).rejects.toMatchObject({
    code: 'api_error',
    attempts: 3,
  })
})
