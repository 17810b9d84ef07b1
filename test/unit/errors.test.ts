import { expect, test } from 'vitest'
import { ADVICE } from '../../src/advice.ts'
import {
  ConfigError,
  DatabaseError,
  FetchError,
  ImageError,
  type IngestError,
  InterruptedError,
  LookupError,
  LookupFailure,
  messageOf,
  StorageError,
  systemCodeOf,
} from '../../src/errors.ts'

test.each(Object.entries(ADVICE))(
  '%s has advice that is a sentence or a command',
  (_code, { hint }) => {
    expect(hint).toMatch(/^[A-Z].*(\.|: plate-snapshot [a-z]+|: [A-Z_]+=\S+)$/)
  },
)

test.each<[error: IngestError, name: string, scope: string]>([
  [new ConfigError([]), 'ConfigError', 'run'],
  [new FetchError('empty_image', 'x'), 'FetchError', 'image'],
  [new LookupError('api_rejected', 'x'), 'LookupError', 'image'],
  [new LookupError('api_refused', 'x'), 'LookupError', 'run'],
  [new ImageError('image_lost', 'x'), 'ImageError', 'image'],
  [new StorageError('storage_failed', 'x'), 'StorageError', 'image'],
  [new StorageError('storage_down', 'x'), 'StorageError', 'run'],
  [new DatabaseError('database_down', 'x'), 'DatabaseError', 'run'],
  [new InterruptedError(), 'InterruptedError', 'run'],
])('%o is a %s and concerns the %s', (error, name, scope) => {
  expect(error).toMatchObject({ name, scope })
})

test('a better hint replaces the advice of the code', () => {
  const hint = 'Wait until Monday.'

  expect(new LookupError('api_refused', 'x', { hint }).hint).toBe(hint)
  expect(new LookupError('api_refused', 'x', { hint: undefined }).hint).toBe(
    ADVICE.api_refused.hint,
  )
})

test('the cause is kept', () => {
  const cause = new Error('ECONNRESET')

  expect(new LookupError('answer_lost', 'x', { cause }).cause).toBe(cause)
  expect(
    new LookupFailure(new LookupError('answer_lost', 'x', { cause }), { attempts: 1, uncertain: 1 })
      .cause,
  ).toBe(cause)
})

test('a failure for good is its last attempt and what it took', () => {
  const facts = { status: 200, isRetryable: true, isUncertain: true, isForWantOfApi: true }
  const last = new LookupError('answer_lost', 'x', { ...facts, hint: 'y', body: '<html>' })

  expect(new LookupFailure(last, { attempts: 3, uncertain: 2 })).toMatchObject({
    ...facts,
    code: 'answer_lost',
    message: 'x',
    hint: 'y',
    body: '<html>',
    attempts: 3,
    uncertain: 2,
  })
})

const refused = Object.assign(new Error('connect ECONNREFUSED ::1:8080'), { code: 'ECONNREFUSED' })
const refusedToo = new Error('connect ECONNREFUSED 127.0.0.1:8080')

test.each<[what: string, thrown: unknown, message: string]>([
  ['an error', new Error('the disk is full'), 'the disk is full'],
  ['an error without words', new TypeError(), 'TypeError'],
  ['a text', 'the disk is full', 'the disk is full'],
  ['nothing', undefined, 'undefined'],
  [
    'several errors',
    new AggregateError([refused, refusedToo]),
    `${refused.message}; ${refusedToo.message}`,
  ],
  ['several errors under one heading', new AggregateError([refused], 'all failed'), 'all failed'],
])('the message of %s is found', (_what, thrown, message) => {
  expect(messageOf(thrown)).toBe(message)
})

test.each<[where: string, thrown: unknown, code: string | undefined]>([
  ['in the error', refused, 'ECONNREFUSED'],
  ['in its cause', new Error('x', { cause: new Error('y', { cause: refused }) }), 'ECONNREFUSED'],
  ['in the first of several', new AggregateError([refused, refusedToo]), 'ECONNREFUSED'],
  [
    'in a cause that is several',
    new Error('x', { cause: new AggregateError([refused]) }),
    'ECONNREFUSED',
  ],
  [
    'beyond a code that is a number',
    Object.assign(new Error('x', { cause: refused }), { code: 7 }),
    'ECONNREFUSED',
  ],
  ['nowhere', new Error('x'), undefined],
  ['in no error', { code: 'ECONNREFUSED' }, undefined],
  ['in nothing', undefined, undefined],
])("the system's code is found %s", (_where, thrown, code) => {
  expect(systemCodeOf(thrown)).toBe(code)
})
