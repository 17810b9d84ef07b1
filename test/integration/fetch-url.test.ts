import type { RequestListener, ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FetchError } from '../../src/errors.ts'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import { drawPicture } from '../support/drawn-images.ts'
import { freePort } from '../support/free-port.ts'
import { type HttpServer, startHttpServer } from '../support/http-server.ts'

const dispatcher = createDispatcher(5_000)
let server: HttpServer
let other: HttpServer
let picture: Buffer

beforeAll(async () => {
  server = await startHttpServer()
  other = await startHttpServer()
  picture = await drawPicture('jpeg')
})
afterAll(async () => {
  await dispatcher.destroy()
  await server[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const LIMITS = { maxBytes: 100_000, maxPixels: 1_000_000, timeoutMs: 10_000, dispatcher }

function fetchOne(text: string) {
  return fetchImage(text, LIMITS, new AbortController().signal)
}

async function failureOf(text: string): Promise<FetchError> {
  const error = await fetchOne(text).catch((thrown: unknown) => thrown)
  if (error instanceof FetchError) return error
  throw new Error('a FetchError was expected', { cause: error })
}

const redirect = (response: ServerResponse, location: string, status = 302) =>
  response.writeHead(status, { location }).end('moved')

test.each<[status: number, code: string, isTransient: boolean]>([
  [400, 'http_error', false],
  [401, 'http_forbidden', false],
  [403, 'http_forbidden', false],
  [404, 'http_not_found', false],
  [410, 'http_not_found', false],
  [418, 'http_error', false],
  [429, 'http_error', true],
  [500, 'http_error', true],
  [502, 'http_error', true],
  [503, 'http_error', true],
  [204, 'http_error', false],
  [304, 'http_error', false],
])('status %i is %s', async (status, code, isTransient) => {
  server.answerWith((_, response) => response.writeHead(status).end())
  const error = await failureOf(`${server.url}/picture.jpg`)
  expect(error).toMatchObject({ code, isTransient, scope: 'image' })
  expect(error.message).toContain(String(status))
  expect(server.requests).toHaveLength(1)
})

test.each<[code: string, text: () => string | Promise<string>]>([
  ['bad_url', () => 'http://'],
  ['bad_url', () => 'http://a b/picture.jpg'],
  ['bad_url', () => 'http://host:99999/picture.jpg'],
  ['unsupported_url', () => 'ftp://127.0.0.1/picture.jpg'],
  ['unsupported_url', () => 'file:///etc/hostname'],
  ['unsupported_url', () => 's3://bucket/picture.jpg'],
  ['unsupported_url', () => 'data:image/png;base64,iVBORw0KGgo='],
  ['fetch_unreachable', async () => `http://127.0.0.1:${await freePort()}/picture.jpg`],
  ['fetch_unreachable', () => 'http://no-such-host.invalid/picture.jpg'],
])('%s: an address that cannot be fetched from', async (code, text) => {
  const error = await failureOf(await text())
  expect(error).toMatchObject({ code, isTransient: code === 'fetch_unreachable' })
})

test.each([301, 302, 303, 307, 308])('a redirect with status %i is followed', async (status) => {
  server.answerWith((request, response) => {
    if (request.url === '/old') redirect(response, `${server.url}/new`, status)
    else response.end(picture)
  })
  const image = await fetchOne(`${server.url}/old`)
  expect(image).toMatchObject({ bytes: picture, source: `${server.url}/old` })
})

/** `/5` redirects to `/4` and so on; at `/0` is the picture. */
const countDown: RequestListener = (request, response) => {
  const left = Number(request.url?.slice(1))
  if (left === 0) response.end(picture)
  else redirect(response, `/${left - 1}`)
}

test('five redirects in a row are followed, relative ones', async () => {
  server.answerWith(countDown)
  expect((await fetchOne(`${server.url}/5`)).bytes).toEqual(picture)
  expect(server.requests).toHaveLength(6)
})

test('six redirects are too many', async () => {
  server.answerWith(countDown)
  const error = await failureOf(`${server.url}/6`)
  expect(error).toMatchObject({ code: 'too_many_redirects', isTransient: false })
  expect(server.requests).toHaveLength(6)
})

test.each<[what: string, location: string | undefined]>([
  ['to a file: address', 'file:///etc/passwd'],
  ['to an ftp: address', 'ftp://127.0.0.1/picture.jpg'],
  ['to a data: address', 'data:image/png;base64,iVBORw0KGgo='],
  ['to what is no address', 'http://a b/'],
  ['to nowhere', undefined],
])('a redirect %s is refused', async (_what, location) => {
  server.answerWith((_, response) => {
    response.writeHead(302, location === undefined ? {} : { location }).end()
  })
  expect(await failureOf(`${server.url}/`)).toMatchObject({
    code: 'bad_redirect',
    isTransient: false,
  })
})

const USER = 'gate:p%40ss%3Aword'
const BASIC = `Basic ${Buffer.from('gate:p@ss:word').toString('base64')}`
const withUser = (url: string) => url.replace('http://', `http://${USER}@`)

test('user name and password of a URL are sent as Basic, and stand in no source', async () => {
  const sent: unknown[] = []
  server.answerWith((request, response) => {
    sent.push(request.headers.authorization)
    response.end(picture)
  })
  const image = await fetchOne(withUser(`${server.url}/picture.jpg`))
  expect(sent).toEqual([BASIC])
  expect(image.source).toBe(`${server.url}/picture.jpg`)
})

test('credentials go along to the same origin, and not to another', async () => {
  const sent: unknown[] = []
  server.answerWith((request, response) => {
    sent.push(request.headers.authorization)
    redirect(response, request.url === '/a' ? '/b' : `${other.url}/c`)
  })
  other.answerWith((request, response) => {
    sent.push(request.headers.authorization)
    response.end(picture)
  })
  await fetchOne(withUser(`${server.url}/a`))
  expect(sent).toEqual([BASIC, BASIC, undefined])
})

test('credentials with a stray percent sign are sent as they are', async () => {
  let sent: string | undefined
  server.answerWith((request, response) => {
    sent = request.headers.authorization
    response.end(picture)
  })
  await fetchOne(server.url.replace('http://', 'http://gate:100%@'))
  expect(sent).toBe(`Basic ${Buffer.from('gate:100%').toString('base64')}`)
})

test.each<[what: string, handler: RequestListener]>([
  ['a refusal', (_, response) => response.writeHead(403).end()],
  ['a page', (_, response) => response.end('<html></html>')],
  ['an empty body', (_, response) => response.end()],
  ['a broken connection', (request) => request.socket.destroy()],
  ['a redirect without end', (_, response) => redirect(response, '/')],
  ['a bad redirect', (_, response) => redirect(response, 'file:///')],
])('%s is told without the credentials and the signature of the link', async (_what, handler) => {
  server.answerWith(handler)
  const link = `${withUser(server.url)}/picture.jpg?X-Amz-Signature=abc123&size=full`
  const { message, hint } = await failureOf(link)
  expect(message).toContain(`${server.url}/picture.jpg?size=full`)
  expect(`${message} ${hint}`).not.toMatch(/gate|p%40ss|word@|abc123|Basic/)
})
