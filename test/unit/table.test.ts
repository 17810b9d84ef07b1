import { expect, test } from 'vitest'
import { tableLines } from '../../src/table.ts'

test('columns are as wide as their widest cell, and nothing trails', () => {
  const rows = [
    ['nhk552', '0.904', 'car.jpg'],
    ['abc', '', ''],
  ]

  expect(tableLines(['plate', 'confidence', 'image'], rows)).toEqual([
    'plate   confidence  image',
    '──────  ──────────  ───────',
    'nhk552  0.904       car.jpg',
    'abc',
  ])
})

test('a table without rows is its heads', () => {
  expect(tableLines(['plate', 'image'], [])).toEqual(['plate  image', '─────  ─────'])
})
