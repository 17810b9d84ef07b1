import { expect, test } from 'vitest'
import { uploadNameOf } from '../../src/source.ts'

test.each<[source: string, name: string]>([
  ['car.jpg', 'car.jpg'],
  ['/var/images/car.jpg', 'car.jpg'],
  ['C:\\images\\car.jpg', 'car.jpg'],
  ['https://example.com/in/car.jpg?width=800/600#top', 'car.jpg'],
  ['https://example.com/', 'upload'],
  ['https://example.com/?id=7', 'upload'],
  ['', 'upload'],
  ['Straße 7 (hinten).jpg', 'Stra_e_7_hinten_.jpg'],
  ['車.jpg', '_.jpg'],
  ['a"\r\nX-Injected: b.jpg', 'a_X-Injected_b.jpg'],
  ['2026-03-01T12:30.jpg', '2026-03-01T12_30.jpg'],
])('%j is uploaded as %s', (source, name) => {
  expect(uploadNameOf(source)).toBe(name)
})

test('of a long name the end is kept', () => {
  const name = uploadNameOf(`${'a'.repeat(300)}.jpg`)

  expect(name).toHaveLength(100)
  expect(name).toMatch(/a\.jpg$/)
})
