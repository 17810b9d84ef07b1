import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FetchError, LookupError } from '../../src/errors.ts'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import { sendLookup } from '../../src/lookup.ts'
import { type Guard, guardOfApi, guardOfImages, type ReachOptions } from '../../src/reach.ts'
import { disposables } from '../support/disposables.ts'
import { drawPicture, fetchedImage } from '../support/drawn-images.ts'
import { type ForwardProxy, startForwardProxy } from '../support/forward-proxy.ts'
import { type HttpServer, startHttpServer } from '../support/http-server.ts'

const never = new AbortController().signal
const picture = await drawPicture('jpeg')
let open: ReturnType<typeof disposables>
let server: HttpServer
let proxy: ForwardProxy

beforeEach(async () => {
  open = disposables()
  server = open.use(await startHttpServer())
  proxy = open.use(await startForwardProxy())
  server.answerWith((_, response) => response.end(picture))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await open[Symbol.asyncDispose]()
})

/** One image by connections of its own. */
async function fetchBy(guard: Guard, url: string) {
  const dispatcher = createDispatcher(5_000, { guard })
  open.defer(() => dispatcher.destroy())
  const limits = { maxBytes: 100_000, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
  return fetchImage(url, limits, never)
}

async function failureOf(url: string, reach: ReachOptions = {}): Promise<FetchError> {
  const thrown = await fetchBy(guardOfImages(reach), url).catch((error: unknown) => error)
  if (thrown instanceof FetchError) return thrown
  throw new Error('a FetchError was expected', { cause: thrown })
}

const byName = () => `http://localhost:${server.port}/car.jpg`
const redirect = (response: ServerResponse, location: string) =>
  response.writeHead(302, { location }).end()

const METADATA = [
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
  'http://0251.0376.0251.0376/',
  'http://169.254.43518/',
  'http://[::ffff:169.254.169.254]/',
  'http://[fe80::1]/',
  'https://[fd00:ec2::254]/',
]

test.each(METADATA)('%s is never fetched, named by a line or by a redirect', async (url) => {
  const allowed = { publicOnly: true, allowHost: ['0.0.0.0/0', '::/0', 'localhost'] }
  expect(await failureOf(url, allowed)).toMatchObject({
    ...{ code: 'address_refused', isTransient: false, scope: 'image' },
    message: expect.stringMatching(/is not fetched: it leads to .*(link-local|metadata)/),
  })
  server.answerWith((_, response) => redirect(response, url))
  const redirected = await failureOf(byName(), allowed)
  expect(redirected).toMatchObject({ code: 'address_refused', isTransient: false })
  expect(redirected.message).toContain(byName())
  expect(server.requests).toHaveLength(1)
})

test('--public-only refuses what a name leads to, before anything is sent, and a redirect there', async () => {
  const refused = await failureOf(byName(), { publicOnly: true })
  expect(refused.code).toBe('address_refused')
  expect(refused.message).toMatch(/localhost \((127\.0\.0\.1|::1)\), no public address\.$/)
  expect((await failureOf(server.url, { publicOnly: true })).code).toBe('address_refused')
  expect(server.requests).toEqual([])

  // By its name it is allowed, by its address it is not.
  const allowHost = ['localhost']
  const image = await fetchBy(guardOfImages({ publicOnly: true, allowHost }), byName())
  expect(image.bytes).toEqual(picture)
  server.answerWith((_, response) => redirect(response, `${server.url}/inside.jpg`))
  const there = await failureOf(byName(), { publicOnly: true, allowHost })
  expect(there.message).toContain('it leads to 127.0.0.1, no public address')
  expect(server.requests).not.toContain('/inside.jpg')
})

test('a name is decided on again at every connection, by the address that is connected to', async () => {
  const asked: unknown[] = []
  const rebound: Guard = (target) => {
    asked.push(target)
    return server.requests.length > 0 ? 'another address by now' : undefined
  }
  server.answerWith((_, response) => response.writeHead(200, { connection: 'close' }).end(picture))
  await fetchBy(rebound, byName())
  await expect(fetchBy(rebound, byName())).rejects.toThrow('another address by now')
  expect(asked).toContainEqual({ protocol: 'http:', hostname: 'localhost', address: '127.0.0.1' })
  expect(server.requests).toHaveLength(1)
})

test('behind a proxy, names and addresses are looked at before the proxy is asked', async () => {
  vi.stubEnv('NO_PROXY', undefined)
  vi.stubEnv('HTTP_PROXY', proxy.url)
  for (const url of METADATA)
    expect(await failureOf(url)).toMatchObject({ code: 'address_refused' })
  expect((await failureOf(byName(), { publicOnly: true })).message).toContain('no public address')
  const unknown = await failureOf('http://gate.invalid/car.jpg', { publicOnly: true })
  expect(unknown.message).toMatch(/gate\.invalid, a name that this machine cannot look up/)
  expect(proxy.passed).toEqual([])

  await fetchBy(guardOfImages(), byName())
  await fetchBy(guardOfImages({ publicOnly: true, allowHost: ['localhost'] }), byName())
  expect(proxy.passed).toHaveLength(2)
})

test('a lookup is not sent in clear to a public host, and the run stops', async () => {
  const key = 'k3y0secret'
  const dispatcher = createDispatcher(5_000, { guard: guardOfApi({ key, allowInsecure: false }) })
  open.defer(() => dispatcher.destroy())
  const access = { url: 'http://8.8.8.8/v1/plate-reader/', key, timeoutMs: 5_000, dispatcher }
  const question = { regions: [], mmc: false }
  const thrown = await sendLookup(fetchedImage(), question, access, never).catch(
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(LookupError)
  expect(thrown).toMatchObject({
    ...{ code: 'api_refused', scope: 'run', isUncertain: false, isRetryable: false },
    message: expect.stringContaining('8.8.8.8, a public address'),
    hint: expect.stringContaining('--allow-insecure-api'),
  })
})
