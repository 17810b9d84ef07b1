import { expect, test } from 'vitest'
import { likePattern } from '../../src/plate-pattern.ts'

test.each([
  ['NHK552', 'nhk552'],
  ['B-MW 1.234', 'bmw1234'],
  ['nhk*', 'nhk%'],
  ['?hk55?', '_hk55_'],
  ['100%_\\', '100\\%\\_\\\\'],
  ['京A·12345', '京a·12345'],
])('%s is looked for as %s', (text, pattern) => {
  expect(likePattern(text)).toBe(pattern)
})
