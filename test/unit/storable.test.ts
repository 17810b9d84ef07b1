import { expect, test } from 'vitest'
import { readIngestOptions } from '../../src/options.ts'
import { mend } from '../../src/storable.ts'

/** A list in a list, so many times. */
function nested(levels: number): unknown {
  let value: unknown = 'inside'
  for (let level = 0; level < levels; level += 1) value = [value]
  return value
}

test.each<[what: string, value: unknown, mended: unknown, note: string]>([
  ['NUL', 'a\0b', 'a\uFFFDb', 'nul'],
  ['half of a character', { a: ['\ud83d', '\udc00'] }, { a: ['\uFFFD', '\uFFFD'] }, 'surrogate'],
  ['NUL in a name', { 'a\0': 1 }, { 'a\uFFFD': 1 }, 'nul'],
  ['an infinite number', [Number.POSITIVE_INFINITY, Number.NaN], [null, null], 'number'],
  ['a number of 300 digits', { score: -1e308 }, { score: null }, 'number'],
  ['a number of 300 decimals', { score: 1e-308 }, { score: null }, 'number'],
  [
    'a list that is too deep',
    nested(101),
    JSON.parse(`${'['.repeat(100)}null${']'.repeat(100)}`),
    'depth',
  ],
])('%s is replaced, and it is said so', (_what, value, mended, note) => {
  expect(mend(value)).toEqual({ value: mended, mended: [note] })
})

test('what can be kept stays as it is, and nothing is said', () => {
  const value = { plate: '🚗 é', n: [0, -0.5, 1e50, 1e-50, 2, 9_007_199_254_740_991], no: null }
  for (const whole of [value, nested(100), true, '']) {
    expect(mend(whole)).toEqual({ value: whole, mended: [] })
  }
})

test('names that mean something in JavaScript are names, and change no prototype', () => {
  const text =
    '{"__proto__":{"results":[1]},"constructor":{"prototype":{"a":1}},"toString":"\\u0000"}'
  const { value } = mend(JSON.parse(text))
  expect(JSON.stringify(value)).toBe(text.replace('\\u0000', '\uFFFD'))
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(Reflect.get({}, 'a')).toBeUndefined()
})

test.each<[flag: string, given: object]>([
  ['engineConfig', { engineConfig: '{"a":"\\u0000"}' }],
  ['engineConfig', { engineConfig: { a: nested(200) } }],
  ['regions', { regions: ['gb', '\ud800'] }],
  ['cameraId', { cameraId: 'gate\0' }],
])('a %s that no database keeps is refused before anything is asked', (_flag, given) => {
  const { problems } = readIngestOptions({ images: 'list', ...given })
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('nothing that a database cannot keep'),
  ])
})
