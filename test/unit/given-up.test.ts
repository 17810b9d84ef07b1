import { expect, test } from 'vitest'
import { LookupError, LookupFailure } from '../../src/errors.ts'
import { givenUp, isGivenUp } from '../../src/given-up.ts'
import { inQueue } from '../../src/queue/settled.ts'

const ref = { text: 'a.jpg', source: 'a.jpg', line: 1 }

test.each<
  [
    lostAnswer: 'once' | 'retry' | 'fail',
    force: boolean,
    lost: number,
    isTooLarge: boolean,
    code?: string,
  ]
>([
  ['once', false, 0, false],
  ['once', false, 1, false],
  ['fail', false, 0, false],
  ['fail', false, 1, false, 'answer_lost'],
  ['fail', true, 1, false],
  ['once', false, 1, true, 'answer_too_large'],
  ['retry', false, 1, true, 'answer_too_large'],
  ['fail', false, 1, true, 'answer_too_large'],
  ['retry', true, 1, true],
])(
  'with --lost-answer %s, --force %s, %i answers lost, too large %s: left alone as %s',
  (lostAnswer, force, lostAnswers, isTooLarge, code) => {
    const lost = { lostAnswers, isTooLarge }
    expect(isGivenUp({ lostAnswer, force }, lost)).toBe(code !== undefined)
    if (code !== undefined) expect(givenUp(ref, lost)).toMatchObject({ code, scope: 'image' })
  },
)

test.each<[code: 'database_failed' | 'answer_unusable', isAnswered: boolean, outcome: string]>([
  ['database_failed', true, 'returned'],
  ['answer_unusable', true, 'failed'],
  ['answer_unusable', false, 'failed'],
])('a job whose image failed as %s (answered: %s) is %s', (code, isAnswered, outcome) => {
  const costs = { attempts: 1, uncertain: 0, isAnswered }
  const error = new LookupFailure(new LookupError(code, 'It failed.'), costs)
  expect(inQueue({ outcome: 'failed', ref, ms: 1, error }, true).outcome).toBe(outcome)
})
