import { expect, test } from 'vitest'
import { ConfigError, FetchError, InterruptedError, LookupError } from '../../src/errors.ts'
import { counted, failureLines, stopLines, summaryLines } from '../../src/run-report.ts'
import { createTally, type Tally } from '../../src/tally.ts'

const summary = (tally: Partial<Tally>, seconds = 1.26, isDryRun = false) =>
  summaryLines({ ...createTally(), ...tally }, seconds, isDryRun)

test('a run over nothing says so', () => {
  expect(summary({}, 0)).toEqual(['The list names no image.'])
})

test('what did not happen has no line', () => {
  const tally = { images: 2, stored: 2, rows: 3, lookups: 2, attempts: 2, uploads: 2 }

  expect(summary(tally)).toEqual([
    '2 images in 1.3 s',
    '  2 stored',
    '3 rows and 2 images written',
    '2 lookups',
  ])
})

test('a run in which everything happened tells everything', () => {
  const tally = {
    images: 1_358,
    stored: 1_204,
    below_threshold: 7,
    no_plate: 80,
    duplicate: 64,
    failed: 3,
    rows: 1_250,
    lookups: 1_294,
    lookups_saved: 64,
    attempts: 1_301,
    uncertain: 1,
    uploads: 1,
    asked_differently: 12,
  }

  expect(summary(tally, 754)).toEqual([
    '1,358 images in 12.6 min',
    '  1,204 stored',
    '      7 below the threshold',
    '     80 without a plate',
    '     64 known already (not asked, not billed)',
    '      3 failed',
    '1,250 rows and 1 image written',
    '1,294 lookups in 1,301 requests, 64 lookups saved by the ledger',
    '1 request may have been billed, with the answer lost',
    '12 known images had been asked about with other regions, mmc or engine configuration; --force asks again.',
  ])
})

test('what went to the archive is told of, and what could not', () => {
  expect(summary({ images: 3, stored: 3, archived: 2, not_archived: 1 }, 1)).toEqual([
    '3 images in 1.0 s',
    '  3 stored',
    '2 files moved to the archive.',
    '1 file could not be moved to the archive; the next run tries again.',
  ])
  expect(summary({ images: 1, would_look_up: 1, would_archive: 1 }, 1, true)).toContain(
    '1 file would be moved to the archive.',
  )
})

test('what was purged before is told of', () => {
  expect(summary({ images: 1, duplicate: 1, purged: 1 }, 1)).toEqual([
    '1 image in 1.0 s',
    '  1 known already (not asked, not billed)',
    '1 image was purged before: neither stored nor looked up.',
  ])
})

test('a dry run says what a run would look up', () => {
  expect(summary({ images: 3, would_look_up: 2, duplicate: 1 }, 119.96, true)).toEqual([
    '3 images in 120.0 s (dry run)',
    '  1 known already (not asked, not billed)',
    '  2 would be looked up (nothing was asked, nothing written)',
  ])
})

test.each<[n: number, text: string]>([
  [0, '0 images'],
  [1, '1 image'],
  [2, '2 images'],
  [1_204, '1,204 images'],
])('%i is told as %s', (n, text) => {
  expect(counted(n, 'image')).toBe(text)
})

const REF = { line: 12, text: 'https://u:p@x/car.jpg', source: 'https://x/car.jpg' }

test('a failed image is told with its line, its code and what to do', () => {
  const error = new FetchError('empty_image', 'https://x/car.jpg is empty.')

  expect(failureLines({ outcome: 'failed', ref: REF, ms: 1, error })).toBe(
    'line 12: https://x/car.jpg is empty. [empty_image]\n  The image holds no bytes; save it anew where it comes from.',
  )
})

test('a failed image that goes back into the queue needs nothing done about it', () => {
  const error = new FetchError('fetch_timeout', 'https://x/car.jpg took too long.')

  expect(failureLines({ outcome: 'returned', ref: REF, ms: 1, error })).toBe(
    'line 12: https://x/car.jpg took too long. [fetch_timeout]\n  It goes back into the queue, to be tried again.',
  )
})

test.each<[what: string, error: unknown, text: string]>([
  [
    'an error with a code',
    new LookupError('api_down', 'Gone.'),
    'Gone. [api_down]\nRun it again when the API answers; what is known costs nothing.',
  ],
  [
    'an interruption',
    new InterruptedError(),
    'The run was interrupted.\nRun the same list again: the rest is untouched.',
  ],
  [
    'wrong settings',
    new ConfigError([
      { name: '--delay', message: 'must be a number.' },
      { name: 'S3_BUCKET', message: 'is not set.' },
    ]),
    'There is something to set right first:\n  --delay must be a number.\n  S3_BUCKET is not set.\nCorrect these, then run again: nothing was fetched or billed.',
  ],
])('people are told of %s', (_what, error, text) => {
  expect(stopLines(error)).toBe(text)
})

test('a failure shows control characters of names and answers, and does not send them to the terminal', () => {
  const error = new FetchError('file_not_found', 'a\x1b[2Jb\n\x07.jpg does not exist.')
  const ref = { line: 3, text: '', source: '' }

  expect(failureLines({ outcome: 'failed', ref, ms: 1, error }).split('\n')[0]).toBe(
    'line 3: a\\x1b[2Jb\\x0a\\x07.jpg does not exist. [file_not_found]',
  )
})
