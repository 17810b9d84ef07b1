import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { FetchError } from '../../src/errors.ts'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import { pngBomb } from '../support/bombs.ts'
import { drawPicture } from '../support/drawn-images.ts'
import { type HttpServer, startHttpServer } from '../support/http-server.ts'

const MAX_BYTES = 10_000
const MAX_PIXELS = 1_000_000
const dispatcher = createDispatcher(5_000)
let server: HttpServer
let picture: Buffer
/** Connections that the server has seen end. */
let closed = 0

beforeAll(async () => {
  server = await startHttpServer()
  server.server.on('connection', (socket) => socket.on('close', () => (closed += 1)))
  picture = await drawPicture('jpeg')
})
beforeEach(() => {
  closed = 0
})
afterAll(async () => {
  await dispatcher.destroy()
  await server[Symbol.asyncDispose]()
})

function fetchOne({ timeoutMs = 10_000, signal = new AbortController().signal } = {}) {
  const limits = { maxBytes: MAX_BYTES, maxPixels: MAX_PIXELS, timeoutMs, dispatcher }
  return fetchImage(`${server.url}/picture.jpg`, limits, signal)
}

async function failureOf(fetching: Promise<unknown>): Promise<FetchError> {
  const error = await fetching.catch((thrown: unknown) => thrown)
  if (error instanceof FetchError) return error
  throw new Error('a FetchError was expected', { cause: error })
}

/** A JPEG's first bytes and then zeros. */
const jpegOf = (size: number) => Buffer.concat([picture], size)

test('a body of just the cap is taken, one byte more is too large', async () => {
  server.answerWith((_, response) => response.end(jpegOf(MAX_BYTES)))
  expect((await fetchOne()).size).toBe(MAX_BYTES)

  server.answerWith((_, response) => response.end(jpegOf(MAX_BYTES + 1)))
  const error = await failureOf(fetchOne())
  expect(error).toMatchObject({ code: 'too_large', isTransient: false })
  expect(error.message).toContain('has 10001 bytes; the limit is 10000')
})

test('a picture of more pixels than the cap is refused by its header, one of just the cap is taken', async () => {
  const fetchOf = (bytes: Buffer, maxPixels: number) => {
    server.answerWith((_, response) => response.end(bytes))
    const limits = { maxBytes: 1_000_000, maxPixels, timeoutMs: 10_000, dispatcher }
    return fetchImage(`${server.url}/picture`, limits, new AbortController().signal)
  }
  const error = await failureOf(fetchOf(pngBomb(), 200_000_000))
  expect(error).toMatchObject({ code: 'too_many_pixels', isTransient: false })
  const size = 'has 50000 x 50000 pixels; the limit is 200000000 in all.'
  expect(error.message).toBe(`${server.url}/picture ${size}`)
  expect((await fetchOf(picture, 48)).size).toBe(picture.length)
  expect(await failureOf(fetchOf(picture, 47))).toMatchObject({ code: 'too_many_pixels' })
})

test('a picture whose header tells no size is taken', async () => {
  const untold = Buffer.from('ffd8fffe0004cafeffda0002ffd9', 'hex')
  server.answerWith((_, response) => response.end(untold))
  expect(await fetchOne()).toMatchObject({ mime: 'image/jpeg', bytes: untold })
})

test('a body announced as too large is not read', async () => {
  server.answerWith((_, response) => {
    response.writeHead(200, { 'content-length': 1_000_000_000 }).write(picture)
  })
  expect(await failureOf(fetchOne())).toMatchObject({ code: 'too_large', isTransient: false })
  await vi.waitUntil(() => closed === 1, 10_000)
})

test('a body without end is cut at the cap, and the connection given up', async () => {
  server.answerWith(async (_, response) => {
    while (!response.destroyed) {
      response.write(jpegOf(4_096))
      await sleep(1)
    }
  })
  expect(await failureOf(fetchOne())).toMatchObject({ code: 'too_large', isTransient: false })
  await vi.waitUntil(() => closed === 1, 10_000)
})

test.each<[what: string, announced: Record<string, number>]>([
  ['shorter than announced', { 'content-length': 5_000 }],
  ['broken off in the middle of a chunked body', {}],
])('a body %s is an error that another try may cure', async (_what, announced) => {
  server.answerWith((_, response) => {
    response.writeHead(200, announced).write(picture, () => response.destroy())
  })
  const error = await failureOf(fetchOne())
  expect(error.isTransient).toBe(true)
  expect(['short_body', 'fetch_unreachable']).toContain(error.code)
})

test.each<[what: string, announced: Record<string, number>]>([
  ['announced as such', { 'content-length': 0 }],
  ['in chunks', {}],
])('an empty body %s is an empty image', async (_what, announced) => {
  server.answerWith((_, response) => response.writeHead(200, announced).end())
  expect(await failureOf(fetchOne())).toMatchObject({ code: 'empty_image', isTransient: false })
})

test('a body that drips in ends when the time for the whole request is over', async () => {
  server.answerWith(async (_, response) => {
    response.writeHead(200, { 'content-length': 5_000 })
    while (!response.destroyed) {
      response.write('.')
      await sleep(10)
    }
  })
  const error = await failureOf(fetchOne({ timeoutMs: 300 }))
  expect(error).toMatchObject({ code: 'fetch_timeout', isTransient: true })
  expect(error.message).toContain('within 0.3 s')
  await vi.waitUntil(() => closed === 1, 10_000)
})

test('headers that do not come end with the same deadline', async () => {
  server.answerWith(() => {})
  expect(await failureOf(fetchOne({ timeoutMs: 200 }))).toMatchObject({
    code: 'fetch_timeout',
    isTransient: true,
  })
})

test('silence between two pieces of a body ends it too', async () => {
  const impatient = createDispatcher(200)
  server.answerWith((_, response) => response.writeHead(200).write(picture))
  const limits = {
    maxBytes: MAX_BYTES,
    maxPixels: MAX_PIXELS,
    timeoutMs: 20_000,
    dispatcher: impatient,
  }
  const error = await failureOf(fetchImage(server.url, limits, new AbortController().signal))
  expect(error).toMatchObject({ code: 'fetch_timeout', isTransient: true })
  await impatient.destroy()
})

test.each<[when: string, send: boolean]>([
  ['before the headers', false],
  ['in the middle of the body', true],
])('an abort %s ends the request with the reason given', async (_when, send) => {
  server.answerWith((_, response) => {
    if (send) response.writeHead(200).write(picture)
  })
  const stopper = new AbortController()
  const reason = new Error('enough')
  const fetching = fetchOne({ signal: stopper.signal })
  await vi.waitUntil(() => server.requests.length === 1, 10_000)
  stopper.abort(reason)
  await expect(fetching).rejects.toBe(reason)
  await vi.waitUntil(() => closed === 1, 10_000)
})
