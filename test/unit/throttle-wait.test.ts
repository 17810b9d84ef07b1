import { expect, test } from 'vitest'
import { throttleMs } from '../../src/retry-after.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const none = undefined
const sentence = (n: string) => `{"detail":"Request was throttled. Expected available in ${n}."}`

test.each<[rule: string, retryAfter: string | undefined, text: string, waitMs: number]>([
  ['obeys seconds', '7', '', 7_000],
  ['obeys parts of a second', '0.5', '', 500],
  ['never rounds down', '0.0001', '', 1],
  ['obeys long waits', '86400', '', 86_400_000],
  ['obeys a wait of nothing', '0', '', 0],
  ['is not disturbed by blanks', ' 7 ', '', 7_000],
  ['obeys a date', 'Sun, 01 Mar 2026 12:00:30 GMT', '', 30_000],
  ['does not wait for a date that is past', 'Sun, 01 Mar 2026 11:00:00 GMT', '', 0],
  ['prefers the header to the sentence', '7', sentence('2 seconds'), 7_000],
  ['reads the sentence for one second', none, sentence('1 second'), 1_000],
  ['reads the sentence for more', none, sentence('42 seconds'), 42_000],
  ['reads the sentence where the header says nothing', 'soon', sentence('2 seconds'), 2_000],
  ['takes a negative number for nothing said', '-5', sentence('2 seconds'), 2_000],
  ['waits a second when nothing is said', none, '', 1_000],
  ['waits a second after a page', none, '<html>Too Many Requests</html>', 1_000],
  ["waits no longer than Node's timers can", '99999999', '', 2 ** 31 - 1],
  ['waits no longer than that for a number beyond all bounds', '9'.repeat(400), '', 2 ** 31 - 1],
])('after a 429 the tool %s', (_rule, retryAfter, text, waitMs) => {
  expect(throttleMs(retryAfter, text, NOW)).toBe(waitMs)
})
