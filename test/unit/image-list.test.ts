import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ImageRef } from '../../src/image-list.ts'
import { openImageList } from '../../src/lists/open-list.ts'
import { imageRefs, readImageList } from '../../src/lists/text-list.ts'

const { signal: never } = new AbortController()

const read = (...chunks: (string | Buffer)[]) =>
  Array.fromAsync(readImageList(Readable.from(chunks)))
const texts = (refs: readonly ImageRef[]) => refs.map(({ text }) => text)

test.each<[what: string, list: string, lines: string[]]>([
  ['a path a line', 'a.jpg\nb.jpg\n', ['a.jpg', 'b.jpg']],
  ['a last line without an end', 'a.jpg\nb.jpg', ['a.jpg', 'b.jpg']],
  ['CRLF', 'a.jpg\r\nb.jpg\r\n', ['a.jpg', 'b.jpg']],
  ['a byte order mark', '\uFEFFa.jpg\n', ['a.jpg']],
  ['a byte order mark before a comment', '\uFEFF# cars\na.jpg\n', ['a.jpg']],
  ['blank lines', '\n\na.jpg\n \t \nb.jpg\n\n', ['a.jpg', 'b.jpg']],
  ['comments', '# cars\na.jpg\n  # more\n#b.jpg\n', ['a.jpg']],
  ['a # that is no comment', 'a#1.jpg\nhttps://x/b.jpg#top\n', ['a#1.jpg', 'https://x/b.jpg#top']],
  ['white space around', ' \ta.jpg \t\n', ['a.jpg']],
  [
    'separators that Unicode takes for ends of lines',
    'a\u2028b\u0085c.jpg\n',
    ['a\u2028b\u0085c.jpg'],
  ],
  ['CR alone', 'a.jpg\rb.jpg\r', ['a.jpg', 'b.jpg']],
  ['blanks inside', 'my car.jpg\n', ['my car.jpg']],
  ['letters of all the world', 'Straße/車🚗.jpg\n', ['Straße/車🚗.jpg']],
  ['nothing', '', []],
])('a list may hold %s', async (_what, list, lines) => {
  expect(texts(await read(Buffer.from(list)))).toEqual(lines)
})

test('lines are numbered as an editor numbers them', async () => {
  const refs = await read('\uFEFF# cars\r\n\r\na.jpg\r\n# more\r\nb.jpg')

  expect(refs.map(({ line, text }) => [line, text])).toEqual([
    [3, 'a.jpg'],
    [5, 'b.jpg'],
  ])
})

test('lines and letters may be cut anywhere on their way', async () => {
  const bytes = Buffer.from('\uFEFFStraße/車🚗.jpg\r\nb.jpg\r\n')
  const refs = await read(...Array.from(bytes, (byte) => Buffer.from([byte])))

  expect(refs.map(({ line, text }) => [line, text])).toEqual([
    [1, 'Straße/車🚗.jpg'],
    [2, 'b.jpg'],
  ])
})

test('a line may be very long', async () => {
  const link = `https://x/a.jpg?${'a=1&'.repeat(50_000)}b=2`

  expect(texts(await read(`${link}\nb.jpg\n`))).toEqual([link, 'b.jpg'])
})

test('a line is kept as it was written, and spoken of without its secrets', async () => {
  const link = 'https://user:secret@x/a.jpg?sig=s&b=1'

  expect(await read(`${link}\n`)).toEqual([{ line: 1, text: link, source: 'https://x/a.jpg?b=1' }])
})

test('a list is read as it is used, not ahead to its end', async () => {
  let made = 0
  const input = new Readable({
    read() {
      made += 1
      setImmediate(() => this.push(`${made}.jpg\n`))
    },
  })
  for await (const { line } of readImageList(input)) if (line === 10) break

  expect(made).toBeLessThan(10_000)
})

test('an abort ends the list', async () => {
  const stop = new AbortController()
  const input = new Readable({ read() {} })
  input.push('a.jpg\nb.jpg\n')
  const seen: string[] = []
  for await (const { text } of readImageList(input, stop.signal)) {
    seen.push(text)
    if (seen.length === 2) stop.abort()
  }

  expect(seen).toEqual(['a.jpg', 'b.jpg'])
})

test('an abort ends the wait for a line that does not come', async () => {
  const stop = new AbortController()
  const reading = Array.fromAsync(readImageList(new Readable({ read() {} }), stop.signal))
  setImmediate(() => stop.abort())

  await expect(reading).resolves.toEqual([])
})

test('a list that breaks off says so, after the lines before', async () => {
  const seen: string[] = []
  const input = Readable.from(
    (function* () {
      yield 'a.jpg\n'
      throw new Error('the disk is gone')
    })(),
  )
  const reading = async () => {
    for await (const { text } of readImageList(input)) seen.push(text)
  }

  await expect(reading()).rejects.toThrow('the disk is gone')
})

test('a list in memory may be of any kind, and has no comments', async () => {
  const from = (list: Iterable<string> | AsyncIterable<string>) => Array.fromAsync(imageRefs(list))
  const refs = [
    { line: 1, text: 'a.jpg', source: 'a.jpg' },
    { line: 3, text: '#1.jpg', source: '#1.jpg' },
  ]

  expect(await from([' a.jpg', '', '#1.jpg'])).toEqual(refs)
  expect(await from(Readable.from(['a.jpg ', ' ', '#1.jpg']))).toEqual(refs)
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-list-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('a file is counted before it is read', async () => {
  const path = join(folder, 'images.txt')
  await writeFile(path, '\uFEFF# cars\r\na.jpg\r\n\r\nb.jpg')
  const { images, count } = await openImageList(path, Readable.from([]))

  expect(count).toBe(2)
  expect(texts(await Array.fromAsync(images(never)))).toEqual(['a.jpg', 'b.jpg'])
})

test('standard input is not counted', async () => {
  const { images, count } = await openImageList('-', Readable.from(['a.jpg\n']))

  expect(count).toBeUndefined()
  expect(texts(await Array.fromAsync(images(never)))).toEqual(['a.jpg'])
})

test.each<[what: string, name: string, why: string]>([
  ['is missing', 'no-such-list.txt', 'does not exist.'],
  ['would be in a file', 'file/list.txt', 'cannot be read: not a directory (ENOTDIR).'],
])('a list that %s is a problem with --images', async (_what, name, why) => {
  await writeFile(join(folder, 'file'), '')
  const path = join(folder, name)

  await expect(openImageList(path, Readable.from([]))).rejects.toMatchObject({
    code: 'config',
    problems: [{ name: '--images', message: `${path} ${why}` }],
  })
})
