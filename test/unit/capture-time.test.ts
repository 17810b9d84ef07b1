import { expect, test } from 'vitest'
import { captureProblems } from '../../src/capture-options.ts'
import { type CapturePolicy, captureTimeOf } from '../../src/capture-time.ts'
import { readEnqueueOptions, readIngestOptions } from '../../src/options.ts'
import { exifBytes, jpegWithExif } from '../support/exif-pictures.ts'

const NOW = Date.UTC(2026, 6, 1, 12)
const HOUR = 3_600_000
const ORIGINAL = 0x9003

function takenBy(
  policy: Partial<CapturePolicy>,
  { exif = '', modifiedAtMs = Date.UTC(2026, 0, 3), source = '20260102-000000.jpg' } = {},
) {
  const bytes = jpegWithExif(exifBytes([[ORIGINAL, exif]]))
  const filled = { from: [], timezone: 'UTC', filenameTime: 'YYYYMMDD-HHmmss', ...policy }
  return captureTimeOf({ bytes, mime: 'image/jpeg', source, modifiedAtMs }, filled, NOW)
}

const EXIF = { exif: '2026:01:01 00:00:00' }

test('the first of the list that tells a time counts, and the API ends the list', () => {
  expect(takenBy({ from: ['exif', 'mtime'] }, EXIF)).toEqual({
    from: 'exif',
    at: '2026-01-01T00:00:00Z',
  })
  expect(takenBy({ from: ['exif', 'filename', 'mtime'] })).toEqual({
    from: 'filename',
    at: '2026-01-02T00:00:00Z',
  })
  expect(takenBy({ from: ['mtime', 'exif'] }, EXIF)).toEqual({
    from: 'mtime',
    at: '2026-01-03T00:00:00Z',
  })
  expect(takenBy({ from: ['api', 'exif'] }, EXIF)).toBeUndefined()
  expect(takenBy({ from: ['exif', 'api'] })).toBeUndefined()
  expect(takenBy({ from: ['exif'] })).toEqual({ from: 'nobody' })
})

test('what the line itself says comes before everything', () => {
  const at = '1999-12-31T23:59:59Z'
  expect(takenBy({ from: ['api'], at })).toEqual({ from: 'list', at })
  expect(takenBy({ from: ['exif'], at }, EXIF)).toEqual({ from: 'list', at })
})

test.each<[what: string, modifiedAtMs: number, isTold: boolean]>([
  ['of 1970', 0, false],
  ['of 1980, as in archives without times', Date.UTC(1980, 0, 1), false],
  ['of 2000, as of a camera whose battery was empty', Date.UTC(2000, 0, 1, 0, 3), false],
  ['of 2001', Date.UTC(2001, 0, 1), true],
  ['of tomorrow, which may be a matter of zones', NOW + 24 * HOUR, true],
  ['of the day after', NOW + 25 * HOUR, false],
])('a time %s', (_what, modifiedAtMs, isTold) => {
  const captured = takenBy({ from: ['mtime'] }, { modifiedAtMs })
  expect(captured?.from).toBe(isTold ? 'mtime' : 'nobody')
})

const ZONE = '--timezone'
const PATTERN = '--filename-time'
const DAY = 'YYYYMMDD-HHmmss'

test.each<[given: Record<string, unknown>, wrong: string[]]>([
  [{}, []],
  [{ capturedAt: 'mtime,api' }, []],
  [{ timezone: 'Europe/Berlin' }, []],
  [{ capturedAt: 'exif' }, [ZONE]],
  [{ capturedAt: ['exif', 'filename'] }, [ZONE, PATTERN]],
  [{ capturedAt: 'exif', timezone: 'Europe/Berlin' }, []],
  [{ capturedAt: 'filename', filenameTime: DAY }, [ZONE]],
  [{ capturedAt: 'filename', filenameTime: DAY, timezone: 'UTC' }, []],
  [{ capturedAt: 'filename', filenameTime: 'X' }, []],
  [{ capturedAt: 'filename', filenameTime: `${DAY}Z` }, []],
  [{ capturedAt: 'mtime', filenameTime: DAY }, [PATTERN]],
  [{ capturedAt: 'exif', timezone: 'Mars/Olympus' }, [ZONE]],
  [{ capturedAt: 'camera' }, ['--captured-at']],
  [{ filenameTime: 'HHmm', capturedAt: 'filename', timezone: 'UTC' }, [PATTERN]],
])('flags of capture times %j have problems with %j', (given, wrong) => {
  for (const read of [readIngestOptions, readEnqueueOptions]) {
    const { problems } = read({ images: '-', ...given })
    expect(problems.map(({ name }) => name)).toEqual(wrong)
  }
})

test('what is wrong together is told beside what is wrong alone, with what to do', () => {
  const { problems } = readIngestOptions({ capturedAt: 'exif,filename', delay: 'x' })
  expect(problems.map(({ name }) => name)).toEqual(['--images', '--delay', ZONE, PATTERN])
  expect(captureProblems({ capturedAt: 'exif' })).toEqual([
    { name: ZONE, message: expect.stringMatching(/by --captured-at exif: .*Europe\/Berlin/) },
  ])
})
