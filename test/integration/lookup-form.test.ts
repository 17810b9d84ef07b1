import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createDispatcher } from '../../src/http.ts'
import { type LookupSubject, type Question, sendLookup } from '../../src/lookup.ts'
import { formBytes } from '../../src/lookup-form.ts'
import { parseMultipart } from '../../src/sandbox/multipart.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { drawPicture } from '../support/drawn-images.ts'
import { startHttpServer } from '../support/http-server.ts'

const dispatcher = createDispatcher(5_000)
const PLAIN: Question = { regions: [], mmc: false }
let sandbox: Sandbox
let picture: { bytes: Buffer; mime: string; source: string }

beforeAll(async () => {
  picture = { bytes: await drawPicture('jpeg'), mime: 'image/jpeg', source: 'lane-1/car.jpg' }
  const sha256 = createHash('sha256').update(picture.bytes).digest('hex')
  const box = { xmin: 1, ymin: 2, xmax: 3, ymax: 4 }
  const results = [{ plate: 'nhk552', score: 0.904, dscore: 1, box }]
  sandbox = await startSandbox({ answers: { [sha256]: { results } } })
})
beforeEach(() => {
  sandbox.configure({ flavor: 'cloud' })
  sandbox.reset()
})
afterAll(async () => {
  await dispatcher.destroy()
  await sandbox.close()
})

function look(
  subject: LookupSubject = picture,
  question: Question = PLAIN,
  changes: { url?: string; key?: undefined } = {},
) {
  const access = { url: sandbox.url, key: 'key-1', timeoutMs: 5_000, dispatcher, ...changes }
  return sendLookup(subject, question, access, new AbortController().signal)
}

test('a lookup with nothing to add sends the bytes alone', async () => {
  const { results, raw } = await look()
  expect(results).toMatchObject([{ plate: 'nhk552', score: 0.904 }])
  expect(raw).toMatchObject({ version: 1, results: [{ plate: 'nhk552' }] })
  expect(sandbox.lookups).toMatchObject([
    {
      fields: {},
      bytes: picture.bytes.length,
      filename: 'car.jpg',
      authorization: 'Token key-1',
      status: 201,
      billed: true,
    },
  ])
})

test('every parameter becomes a form field, regions one each', async () => {
  await look(picture, {
    regions: ['us-ca', 'mx'],
    cameraId: 'Tor 7 – Süd "A"',
    mmc: true,
    engineConfig: { mode: 'fast', text_formats: ['[a-z]{3}'], threshold_d: 0.1 },
  })
  expect(sandbox.lookups[0]?.fields).toEqual({
    regions: ['us-ca', 'mx'],
    camera_id: ['Tor 7 – Süd "A"'],
    mmc: ['true'],
    config: ['{"mode":"fast","text_formats":["[a-z]{3}"],"threshold_d":0.1}'],
  })
})

test('a capture time is sent as timestamp, and is the time of the answer', async () => {
  const capturedAt = '2026-01-31T08:30:00.250Z'
  const { raw } = await look({ ...picture, capturedAt })
  expect(sandbox.lookups[0]?.fields).toEqual({ timestamp: [capturedAt] })
  expect(raw).toMatchObject({ timestamp: '2026-01-31T08:30:00.250000Z' })
})

test('an address goes to the cloud as upload_url, without a file', async () => {
  await using images = await startHttpServer((_, response) => response.end(picture.bytes))
  const imageUrl = `${images.url}/car.jpg`
  const { results } = await look({ imageUrl, source: imageUrl })
  expect(results).toHaveLength(1)
  expect(sandbox.lookups[0]).toMatchObject({
    fields: { upload_url: [imageUrl] },
    filename: undefined,
  })
})

test.each<[source: string, filename: string]>([
  ['C:\\cameras\\front.jpg', 'front.jpg'],
  // Its bytes are a JPEG.
  ['/var/cameras/Größe – 車.png', 'Gr_e_.png.jpg'],
  ['a "quoted"\r\nname.jpg', 'a_quoted_name.jpg'],
  ['http://camera.example/shot.jpg?size=full#top', 'shot.jpg'],
  ['http://camera.example/', 'upload'],
])('the file of %j is called %s', async (source, filename) => {
  await look({ ...picture, source })
  expect(sandbox.lookups[0]).toMatchObject({ filename, bytes: picture.bytes.length })
})

test('what a request has beside its image is known before it is sent', async () => {
  const lengths: (string | undefined)[] = []
  await using server = await startHttpServer((request, response) => {
    lengths.push(request.headers['content-length'])
    request.resume().on('end', () => response.end('{"results":[]}'))
  })
  const subject = { ...picture, capturedAt: '2026-01-31T08:30:00Z' }
  const question = { regions: ['fr'], mmc: true, cameraId: 'Süd', engineConfig: { mode: 'fast' } }
  await look(subject, question, { url: server.url })
  expect(lengths).toEqual([String(formBytes(subject, question) + picture.bytes.length)])
})

test('an SDK answers with 200, and needs no key', async () => {
  sandbox.configure({ flavor: 'sdk' })
  const { results } = await look(picture, PLAIN, { key: undefined })
  expect(results).toMatchObject([{ plate: 'nhk552' }])
  expect(sandbox.lookups[0]).toMatchObject({ status: 200, authorization: undefined })
})

test('a key is sent to an SDK too, when there is one', async () => {
  sandbox.configure({ flavor: 'sdk' })
  await look()
  expect(sandbox.lookups[0]?.authorization).toBe('Token key-1')
})

test('the request says what it is: its length, its type, the type of the image', async () => {
  let headers: IncomingHttpHeaders = {}
  let body = Buffer.alloc(0)
  await using server = await startHttpServer(async (request, response) => {
    headers = request.headers
    body = await buffer(request)
    response.writeHead(200).end('{"results":[]}')
  })
  await look({ ...picture, mime: 'image/png' }, PLAIN, { url: `${server.url}/v1/plate-reader/` })

  expect(server.requests).toEqual(['POST /v1/plate-reader/'])
  expect(headers).toMatchObject({
    'content-length': String(body.length),
    'content-type': expect.stringMatching(/^multipart\/form-data; boundary=\S+$/),
    accept: 'application/json',
  })
  expect(headers).not.toHaveProperty('transfer-encoding')
  const parts = parseMultipart(body, headers['content-type'] ?? '')
  expect(parts).toEqual([{ name: 'upload', filename: 'car.jpg', content: picture.bytes }])
  expect(body.toString('latin1')).toContain('\r\nContent-Type: image/png\r\n\r\n')
})
