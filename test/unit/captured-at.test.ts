import { expect, test } from 'vitest'
import { normalize } from '../../src/normalize.ts'
import { answerOf } from './answers.ts'

const none = undefined

test.each<[timestamp: unknown, capturedAt: string | undefined]>([
  // the cloud
  ['2023-10-10T13:22:41.178728Z', '2023-10-10T13:22:41.178728Z'],
  ['2024-10-24T17:29:26Z', '2024-10-24T17:29:26Z'],
  // the SDK: no zone is UTC
  ['2025-01-31 09:54:50.792060', '2025-01-31T09:54:50.792060Z'],
  ['2020-01-16 17:00:00', '2020-01-16T17:00:00Z'],
  ['2019-08-19T13:11:25', '2019-08-19T13:11:25Z'],
  ['2020-01-16 17:00', '2020-01-16T17:00Z'],
  // offsets
  ['2024-06-01T10:00:00-04:00', '2024-06-01T10:00:00-04:00'],
  ['2024-06-01T10:00:00+0100', '2024-06-01T10:00:00+0100'],
  ['2024-06-01 10:00:00 +05:45', '2024-06-01T10:00:00+05:45'],
  ['2024-06-01t10:00:00z', '2024-06-01T10:00:00Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
  // no times, or none that PostgreSQL takes
  ['2024-06-01 10:00:00 00:00', none],
  ['2024-06-01T10:00:00+23:59', none],
  ['2024-02-30T00:00:00Z', none],
  ['2023-02-29 00:00:00', none],
  ['2024-13-01T00:00:00Z', none],
  ['0000-01-01T00:00:00Z', none],
  ['2024-06-01T25:00:00Z', none],
  ['2024-06-01T10:00:61Z', none],
  ['2024-06-01', none],
  ['yesterday', none],
  ['', none],
  [1_700_000_000, none],
  [null, none],
])('the timestamp %j is the time %s', (timestamp, capturedAt) => {
  expect(normalize(answerOf([], { timestamp })).capturedAt).toBe(capturedAt)
})

test('an answer without a timestamp has no time', () => {
  expect(normalize(answerOf([])).capturedAt).toBeUndefined()
})
