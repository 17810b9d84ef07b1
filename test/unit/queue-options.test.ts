import { expect, test } from 'vitest'
import { readQueueOptions } from '../../src/queue-options.ts'

const NONE = { csv: false, failed: false, yes: false, json: false }

test.each<[words: string, flags: Record<string, unknown>, options: object]>([
  ['status', { json: true }, { ...NONE, json: true }],
  ['failed', { csv: true, limit: '7' }, { ...NONE, csv: true, limit: 7 }],
  ['retry-failed', { reason: ['a, b', 'b', 'c'] }, { ...NONE, reason: ['a', 'b', 'c'] }],
  ['clear', { failed: true, yes: true }, { ...NONE, failed: true, yes: true }],
  ['pace', {}, NONE],
  ['pace 0.2', {}, { ...NONE, seconds: 0.2 }],
])('queue %s %j is understood', (words, flags, options) => {
  const what = words.split(' ')
  const read = readQueueOptions({ what, ...flags })
  expect(read).toEqual({
    options: { seconds: undefined, ...options, action: what[0] },
    problems: [],
  })
})

test.each<[words: string, flags: Record<string, unknown>, told: string[]]>([
  [
    'frobnicate',
    { csv: true },
    ['There is no queue frobnicate. These are: status, failed, retry-failed, clear, pace.'],
  ],
  [
    'status now',
    { csv: true, yes: true },
    [
      'queue status takes nothing but flags: leave out now.',
      '--csv is for queue failed, not for queue status.',
      '--yes is for queue clear, not for queue status.',
    ],
  ],
  [
    'clear',
    { reason: ['a'] },
    ['--reason is for queue failed and queue retry-failed, not for queue clear.'],
  ],
  ['failed', { csv: true, json: true }, ['--csv, --json are two formats: choose one.']],
  ['failed', { limit: '0' }, ['--limit must be a whole number, 1 or more.']],
  ['failed', { reason: [','] }, ['--reason must name a reason.']],
  ['pace fast', {}, ['<seconds> must be a number of seconds, 0 or more.']],
  ['pace 1 2', {}, ['queue pace takes one number of seconds: leave out 2.']],
])('queue %s %j is refused', (words, flags, told) => {
  const { options, problems } = readQueueOptions({ what: words.split(' '), ...flags })
  expect(options).toBeUndefined()
  expect(problems.map(({ name, message }) => `${name} ${message}`)).toEqual(told)
})
