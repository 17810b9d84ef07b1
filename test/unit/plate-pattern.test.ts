import { expect, test } from 'vitest'
import { likePattern } from '../../src/plate-pattern.ts'

test.each([
  ['NHK552', 'NHK552'],
  ['B-MW 1.234', 'BMW1234'],
  ['nhk*', 'nhk%'],
  ['?hk55?', '_hk55_'],
  ['100%_\\', '100\\%\\_\\\\'],
  ['京A·12345', '京A·12345'],
])('%s is looked for as %s', (text, pattern) => {
  expect(likePattern(text)).toBe(pattern)
})
