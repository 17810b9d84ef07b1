import { expect, test } from 'vitest'
import type { ErrorCode } from '../../src/advice.ts'
import {
  ConfigError,
  DatabaseError,
  ImageError,
  InterruptedError,
  LookupError,
  StorageError,
} from '../../src/errors.ts'
import { exitCodeOf, type Stopped, stoppedBy } from '../../src/tally.ts'

const lookup = (code: ErrorCode) => new LookupError(code, '')
const storage = (code: ErrorCode) => new StorageError(code, '')
const database = (code: ErrorCode) => new DatabaseError(code, '')
const bug = new TypeError('x is undefined')

test.each<[what: string, failed: number, reason: unknown, exitCode: number]>([
  ['all went well', 0, undefined, 0],
  ['some images failed', 3, undefined, 1],
  ['a setting was wrong', 0, new ConfigError([]), 2],
  ['the key was refused', 0, lookup('api_refused'), 3],
  ['the API was down', 10, lookup('api_down'), 3],
  ['the budget was used up', 0, lookup('max_lookups'), 3],
  ['the database was down', 0, database('database_down'), 3],
  ['the schema was missing', 0, database('schema_missing'), 3],
  ['the folder was held by another process', 0, database('folder_locked'), 3],
  ['the storage was down', 0, storage('storage_down'), 3],
  ['the reader of the output was gone', 0, new InterruptedError(), 3],
  ['an image cannot be given', 0, new ImageError('image_lost', ''), 1],
  ['there is a bug', 0, bug, 1],
])('the exit code tells that %s', (_what, failed, reason, exitCode) => {
  expect(exitCodeOf({ failed }, reason)).toBe(exitCode)
})

test('the exit code tells that files could not be moved to the archive', () => {
  expect(exitCodeOf({ failed: 0, not_archived: 2 }, undefined)).toBe(1)
  expect(exitCodeOf({ failed: 0, not_archived: 0 }, undefined)).toBe(0)
})

test.each<[signal: 'SIGINT' | 'SIGTERM', exitCode: number]>([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('after %s it is that of the signal, whatever else happened', (signal, exitCode) => {
  expect(exitCodeOf({ failed: 0 }, new InterruptedError(), signal)).toBe(exitCode)
  expect(exitCodeOf({ failed: 3 }, lookup('api_refused'), signal)).toBe(exitCode)
  expect(exitCodeOf({ failed: 0 }, undefined, signal)).toBe(exitCode)
})

test.each<[reason: unknown, stopped: Stopped | undefined]>([
  [new InterruptedError(), 'interrupted'],
  [lookup('max_lookups'), 'max_lookups'],
  [lookup('api_refused'), 'api_refused'],
  [lookup('api_down'), 'api_down'],
  [storage('storage_down'), 'storage_down'],
  [storage('storage_refused'), 'storage_down'],
  [database('database_down'), 'database_down'],
  [database('schema_missing'), 'database_down'],
  [database('schema_old'), 'database_down'],
  [database('schema_new'), 'database_down'],
  [database('folder_locked'), 'database_down'],
  [database('folder_unusable'), 'database_down'],
  [new ConfigError([]), undefined],
  [bug, undefined],
  [undefined, undefined],
])('%o stops a run as %s', (reason, stopped) => {
  expect(stoppedBy(reason)).toBe(stopped)
})
