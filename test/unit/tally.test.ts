import { expect, test } from 'vitest'
import { FetchError, LookupFailure } from '../../src/errors.ts'
import type { Outcome } from '../../src/outcome.ts'
import { count, createTally, type Tally } from '../../src/tally.ts'
import { failedWith, outcomeOf } from './outcomes.ts'
import { LOST, REJECTED, UNREACHABLE } from './scripted-lookups.ts'

function tallyOf(...outcomes: Outcome[]): Tally {
  const tally = createTally()
  for (const outcome of outcomes) count(tally, outcome)
  return tally
}

const failedLookup = (error = REJECTED, attempts = 1, uncertain = 0) =>
  failedWith(new LookupFailure(error, { attempts, uncertain }))
const notFetched = failedWith(new FetchError('file_not_found', 'car.jpg is not there.'))

test('the five outcomes add up to the images', () => {
  const { images, stored, below_threshold, no_plate, duplicate, failed } = tallyOf(
    outcomeOf('stored'),
    outcomeOf('stored'),
    outcomeOf('below_threshold'),
    outcomeOf('no_plate'),
    outcomeOf('duplicate'),
    outcomeOf('duplicate'),
    outcomeOf('duplicate'),
    notFetched,
    failedLookup(),
    failedWith(new TypeError('x is undefined')),
  )

  expect([stored, below_threshold, no_plate, duplicate, failed]).toEqual([2, 1, 1, 3, 3])
  expect(images).toBe(10)
})

test('rows, bytes and uploads are added up', () => {
  const tally = tallyOf(
    outcomeOf('stored', { rows: 3, wasLookedUp: true, uploadedBytes: 3 }),
    outcomeOf('stored', { rows: 1, wasLookedUp: true, uploadedBytes: 0 }),
    outcomeOf('duplicate', { rows: 2 }),
  )

  expect(tally).toMatchObject({ rows: 6, bytes: 9, uploads: 1, lookups: 2 })
})

test.each<[what: string, outcome: Outcome, lookups: number]>([
  ['an answered image', outcomeOf('no_plate', { wasLookedUp: true }), 1],
  ['a known image', outcomeOf('duplicate'), 0],
  ['an image that could not be fetched', notFetched, 0],
  ['a rejected image', failedLookup(), 1],
  ['an image whose answers were lost', failedLookup(LOST, 2, 2), 1],
  ['an image that the API was never asked about', failedLookup(UNREACHABLE, 0), 0],
  ['an image given up before', failedWith(LOST), 0],
])('%s counts as asked about or not', (_what, outcome, lookups) => {
  expect(tallyOf(outcome)).toMatchObject({ lookups })
})

test('requests, and lost answers, are counted where they are sent, not here', () => {
  expect(tallyOf(failedLookup(LOST, 2, 2))).toMatchObject({ attempts: 0, uncertain: 0 })
})

test('lookups that the ledger saved are counted', () => {
  const tally = tallyOf(outcomeOf('duplicate', { isSaved: true }), outcomeOf('stored'))

  expect(tally.lookups_saved).toBe(1)
})

test('known images that were asked about differently are counted', () => {
  const tally = tallyOf(
    outcomeOf('duplicate', { wasAskedDifferently: true }),
    outcomeOf('duplicate'),
  )

  expect(tally.asked_differently).toBe(1)
})

test('known images that were purged before are counted, and saved no lookup', () => {
  const tally = tallyOf(outcomeOf('duplicate', { isPurged: true }), outcomeOf('duplicate'))

  expect(tally).toMatchObject({ duplicate: 2, purged: 1, lookups_saved: 0 })
})

test('a dry run counts what it would look up', () => {
  const tally = tallyOf(outcomeOf('would_look_up'), outcomeOf('duplicate'))

  expect(tally).toMatchObject({ images: 2, would_look_up: 1, duplicate: 1, lookups: 0 })
})
