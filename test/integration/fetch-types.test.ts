import { hash } from 'node:crypto'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FetchError } from '../../src/errors.ts'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import { drawBmp, drawPicture } from '../support/drawn-images.ts'
import { type HttpServer, startHttpServer } from '../support/http-server.ts'

const dispatcher = createDispatcher(5_000)
let server: HttpServer
let folder: string

beforeAll(async () => {
  server = await startHttpServer()
  folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-fetch-'))
})
afterAll(async () => {
  await dispatcher.destroy()
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function fetchOne(text: string) {
  const limits = { maxBytes: 100_000, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
  return fetchImage(text, limits, new AbortController().signal)
}

const APNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACGFjVEwAAAABAAAAALzrqNUAAAAASUVORK5CYII='

test.each<[type: string, draw: () => Buffer | Promise<Buffer>, mime: string, extension: string]>([
  ['JPEG', () => drawPicture('jpeg'), 'image/jpeg', 'jpg'],
  ['PNG', () => drawPicture('png'), 'image/png', 'png'],
  ['animated PNG', () => Buffer.from(APNG, 'base64'), 'image/png', 'png'],
  ['WebP', () => drawPicture('webp'), 'image/webp', 'webp'],
  ['GIF', () => drawPicture('gif'), 'image/gif', 'gif'],
  ['TIFF', () => drawPicture('tiff'), 'image/tiff', 'tif'],
  ['BMP', drawBmp, 'image/bmp', 'bmp'],
])(
  'a %s is known by its bytes, whatever its name and announced type',
  async (_type, draw, mime, extension) => {
    const bytes = await draw()
    const facts = { mime, extension, size: bytes.length, sha256: hash('sha256', bytes) }

    const path = join(folder, 'notes.txt')
    await writeFile(path, bytes)
    const changed = { modifiedAtMs: expect.any(Number), file: expect.any(Object) }
    expect(await fetchOne(path)).toEqual({ source: path, bytes, ...facts, ...changed })

    server.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(bytes)
    })
    const url = `${server.url}/page.html?size=full`
    expect(await fetchOne(url)).toEqual({ source: url, bytes, ...facts })
  },
)

test('when a file or URL last changed is known, where its file system or server says so', async () => {
  const changed = new Date('2026-01-31T08:30:00.250Z')
  const path = join(folder, 'old.jpg')
  await writeFile(path, await drawPicture('jpeg'))
  await utimes(path, changed, changed)
  expect((await fetchOne(path)).modifiedAtMs).toBe(changed.getTime())

  const bytes = await drawPicture('jpeg')
  for (const [said, modifiedAtMs] of [
    ['Sat, 31 Jan 2026 08:30:00 GMT', Date.UTC(2026, 0, 31, 8, 30)],
    ['yesterday', undefined],
  ] as const) {
    server.answerWith((_, response) => {
      response.writeHead(200, { 'last-modified': said }).end(bytes)
    })
    expect((await fetchOne(`${server.url}/a.jpg`)).modifiedAtMs).toBe(modifiedAtMs)
  }
})

test('HEIC, which the decoder as installed cannot read, is told of as such', async () => {
  const path = join(folder, 'phone.heic')
  await writeFile(path, Buffer.from('0000001866747970686569630000000068656963', 'hex'))
  await expect(fetchOne(path)).rejects.toMatchObject({ code: 'heic_unsupported', scope: 'image' })
})

const HTML = '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>'
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
const ZIP = Buffer.from('504b0506000000000000000000000000000000000000', 'hex')

test.each<[what: string, bytes: string | Buffer, described: string]>([
  ['an HTML page', HTML, 'an HTML page'],
  ['an HTML page without a doctype', '\n <html><body>gone</body></html>', 'an HTML page'],
  ['plain text', 'no such camera', 'no known image type'],
  ['an SVG drawing', SVG, 'an SVG drawing'],
  ['an SVG drawing in an XML file', `<?xml version="1.0"?>${SVG}`, 'application/xml'],
  ['a zip archive', ZIP, 'application/zip'],
  ['a PDF', '%PDF-1.7\n%%EOF', 'application/pdf'],
  ['a JPEG cut off in its first bytes', Buffer.from('ffd8', 'hex'), 'no known image type'],
  ['zeros', Buffer.alloc(1_000), 'no known image type'],
])(
  '%s is not an image, though its name and announced type say so',
  async (_what, bytes, described) => {
    const path = join(folder, 'picture.jpg')
    await writeFile(path, bytes)
    server.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(bytes)
    })
    for (const source of [path, `${server.url}/picture.jpg`]) {
      const error = await fetchOne(source).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(FetchError)
      expect(error).toMatchObject({ code: 'not_an_image', scope: 'image', isTransient: false })
      expect(error.message).toContain(source)
      expect(error.message).toContain(described)
    }
  },
)
