import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { image } from '../../src/commands/image.ts'
import { readImageOptions, readUrlOptions } from '../../src/viewing-options.ts'

const ID = '0f8fad5b-d9cb-469f-a165-70867728950e'
const SHA256 = 'ab'.repeat(32)

test('an image is named by the id of a row or by its SHA-256, in any case', () => {
  expect(readImageOptions({ image: ID.toUpperCase() }).options?.image).toEqual({ id: ID })
  const imageNames = [` ${SHA256.toUpperCase()} `, ID]
  expect(readUrlOptions({ imageNames }).options?.imageNames).toEqual([
    { sha256: SHA256 },
    { id: ID },
  ])
})

test.each(['', 'nhk552', SHA256.slice(1), ID.replaceAll('-', ''), `${SHA256}'`])(
  '%j names no image',
  (name) => {
    const problem = { name: '<id|sha256>', message: expect.stringMatching(name) }
    expect(readImageOptions({ image: name }).problems).toEqual([problem])
    expect(readUrlOptions({ imageNames: [ID, name] }).problems).toEqual([problem])
  },
)

test.each<[expires: string, seconds: number | undefined]>([
  ['1', 1],
  ['604800', 604_800],
  ['12h', 43_200],
  ['7d', 604_800],
  ['0', undefined],
  ['604801', undefined],
  ['8d', undefined],
  ['0.0001h', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['', undefined],
  ['soon', undefined],
])('--expires %s is %s seconds', (expires, seconds) => {
  expect(readUrlOptions({ imageNames: [ID], expires }).options?.expires).toBe(seconds)
})

test.each<[what: string, given: object, name: string]>([
  ['neither image nor --refresh', {}, '<id|sha256>'],
  ['an image beside --refresh', { imageNames: [ID], refresh: '2d' }, '--refresh'],
  ['--expires beside --refresh', { refresh: '2d', expires: '60' }, '--expires'],
  ['--refresh without a unit', { refresh: '2' }, '--refresh'],
])('url refuses %s', (_what, given, name) => {
  expect(readUrlOptions(given).problems).toMatchObject([{ name }])
})

test('the bytes of an image are not written to a terminal, and nothing is opened for it', async () => {
  const never = () => {
    throw new Error('nothing is to be said')
  }
  const shell = {
    env: { DATABASE_URL: 'postgresql://nobody@localhost:1/nowhere' },
    input: new PassThrough(),
    out: never,
    outBytes: never,
    drained: async () => {},
    say: never,
    terminalColumns: 80,
    outColumns: 80,
    signal: new AbortController().signal,
    stoppedBy: () => undefined,
    version: '0',
  }
  const given = { image: ID }
  await expect(image(given, shell)).rejects.toThrow('-o is needed: a terminal cannot show')
})
