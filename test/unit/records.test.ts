import { expect, test } from 'vitest'
import { FetchError, LookupError, LookupFailure } from '../../src/errors.ts'
import type { IngestResult } from '../../src/ingest.ts'
import { errorRecord, imageRecord, summaryRecord } from '../../src/run-records.ts'
import { createTally } from '../../src/tally.ts'
import { failedWith, outcomeOf } from './outcomes.ts'
import { LOST } from './scripted-lookups.ts'

const BUG = {
  code: 'internal',
  message: 'x is undefined',
  hint: 'This is a bug of plate-snapshot: please report it with the trace on standard error.',
}

test('an image is told with its plates and which of them have a row', () => {
  const readings = [
    { index: 0, plate: 'nhk552', score: 0.904 },
    { index: 1, plate: 'abc123', score: 0.4 },
    { index: 2, vehicleType: 'Sedan' },
  ]
  const outcome = outcomeOf('stored', { readings, rows: 1, rowPlaces: [0], wasLookedUp: true })

  expect(imageRecord(outcome)).toEqual({
    event: 'image',
    line: 12,
    source: 'https://x/car.jpg',
    outcome: 'stored',
    sha256: 'ab'.repeat(32),
    mime: 'image/jpeg',
    size: 3,
    lookup: true,
    plates: [
      { plate_text: 'nhk552', plate_confidence: 0.904, stored: true },
      { plate_text: 'abc123', plate_confidence: 0.4, stored: false },
      { plate_text: null, plate_confidence: null, stored: false },
    ],
    ms: 412,
  })
})

test('a failed image is told with its error', () => {
  const error = new FetchError('not_an_image', 'car.jpg is text.')

  expect(imageRecord(failedWith(error))).toEqual({
    event: 'image',
    line: 12,
    source: 'https://x/car.jpg',
    outcome: 'failed',
    error: {
      code: 'not_an_image',
      message: 'car.jpg is text.',
      hint: 'Only JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC images are looked up.',
    },
    lookup: false,
    ms: 7,
  })
})

test.each<[what: string, error: unknown, wasAsked: boolean]>([
  ['was asked about', new LookupFailure(LOST, { attempts: 2, uncertain: 2 }), true],
  ['was never asked about', new LookupFailure(LOST, { attempts: 0, uncertain: 0 }), false],
  ['was given up before', LOST, false],
])('a failed image that %s says so', (_what, error, wasAsked) => {
  expect(imageRecord(failedWith(error))).toHaveProperty('lookup', wasAsked)
})

test('an error without advice of its own is a bug', () => {
  expect(errorRecord(new TypeError('x is undefined'))).toEqual(BUG)
  expect(errorRecord('x is undefined')).toEqual(BUG)
})

const COUNTS = {
  images: 0,
  stored: 0,
  below_threshold: 0,
  no_plate: 0,
  duplicate: 0,
  failed: 0,
  rows: 0,
  lookups: 0,
  lookups_saved: 0,
  fitted: 0,
  attempts: 0,
  uncertain: 0,
  uploads: 0,
  bytes: 0,
  asked_differently: 0,
  unchanged: 0,
  not_modified: 0,
  returned: 0,
  purged: 0,
  rows_below: 0,
}

function resultOf(facts: Partial<IngestResult> = {}): IngestResult {
  const nothing = { reason: undefined, left: undefined, spooled: undefined, lost: 0 }
  return { tally: createTally(), seconds: 12.345, ...nothing, ...facts }
}

test('the summary has every count, the time and what stopped the run', () => {
  expect(summaryRecord(resultOf(), false)).toEqual({
    event: 'summary',
    ...COUNTS,
    seconds: 12.3,
    stopped: null,
    left: 0,
  })
})

test('the summary of a dry run says what would be looked up', () => {
  const tally = { ...createTally(), images: 3, would_look_up: 2, duplicate: 1 }

  expect(summaryRecord(resultOf({ tally, seconds: 1 }), true)).toEqual({
    event: 'summary',
    ...COUNTS,
    images: 3,
    duplicate: 1,
    dry_run: true,
    would_look_up: 2,
    seconds: 1,
    stopped: null,
    left: 0,
  })
})

const DOWN = new LookupError('api_down', 'Nothing but 429.')

test.each<[reason: unknown, stopped: string]>([
  [DOWN, 'api_down'],
  [new TypeError('x is undefined'), 'internal'],
])('the summary names what stopped the run: %o', (reason, stopped) => {
  expect(summaryRecord(resultOf({ reason }), false)).toHaveProperty('stopped', stopped)
})

test.each<[what: string, facts: Partial<IngestResult>, left: number | null]>([
  ['a run that got through has none', { left: 3 }, 0],
  ['one that was stopped says how many it knows of', { left: 3, reason: DOWN }, 3],
  ['one that was stopped in a stream cannot know', { reason: DOWN }, null],
])('of the lines left %s', (_what, facts, left) => {
  expect(summaryRecord(resultOf(facts), false)).toHaveProperty('left', left)
})
