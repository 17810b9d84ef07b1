import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { readAccount } from '../../src/account.ts'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import { sendLookup } from '../../src/lookup.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { openS3Store } from '../../src/storage/s3-store.ts'
import { createBucket, type TestBucket } from '../support/databases.ts'
import { drawPicture, fetchedImage } from '../support/drawn-images.ts'
import { type ForwardProxy, startForwardProxy } from '../support/forward-proxy.ts'
import { type HttpServer, startHttpServer } from '../support/http-server.ts'
import { s3Settings } from '../support/s3-settings.ts'

const never = new AbortController().signal
let proxy: ForwardProxy
let images: HttpServer
let sandbox: Sandbox
let storage: TestBucket

beforeAll(async () => {
  proxy = await startForwardProxy()
  const picture = await drawPicture('jpeg')
  images = await startHttpServer((_, response) => response.end(picture))
  sandbox = await startSandbox()
  storage = await createBucket()
})
afterEach(() => {
  vi.unstubAllEnvs()
  proxy.passed.length = 0
})
afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await images[Symbol.asyncDispose]()
  await sandbox.close()
  await storage[Symbol.asyncDispose]()
})

async function useImages(): Promise<void> {
  const dispatcher = createDispatcher(5_000)
  const limits = { maxBytes: 100_000, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
  await fetchImage(`${images.url}/car.jpg`, limits, never)
  await dispatcher.destroy()
}

async function useApi(): Promise<void> {
  const dispatcher = createDispatcher(5_000)
  const access = { url: sandbox.url, key: 'key', timeoutMs: 5_000, dispatcher }
  await sendLookup(fetchedImage(), { regions: [], mmc: false }, access, never)
  await dispatcher.destroy()
}

const useAccount = () =>
  readAccount({ url: sandbox.url, key: 'key', isCloud: true, allowInsecure: false })

async function useStorage(): Promise<void> {
  const store = await openS3Store(s3Settings(storage.bucket))
  await store.put(fetchedImage(), never)
  await store.check()
  store.close()
}

test.each<[what: string, use: () => Promise<unknown>, host: () => string, requests: number]>([
  ['images', useImages, () => images.url, 1],
  ['lookups', useApi, () => sandbox.url, 1],
  ['the account', useAccount, () => sandbox.url, 1],
  ['storage', useStorage, () => s3Settings('any').endpoint ?? '', 6],
])('HTTP_PROXY is used for %s, and NO_PROXY is honoured', async (_what, use, hostOf, requests) => {
  vi.stubEnv('NO_PROXY', undefined)
  vi.stubEnv('no_proxy', undefined)
  await use()
  expect(proxy.passed).toEqual([])

  const { host, hostname } = new URL(hostOf())
  vi.stubEnv('HTTP_PROXY', proxy.url)
  await use()
  expect(proxy.passed).toHaveLength(requests)
  expect(proxy.passed.every((request) => request.includes(`http://${host}/`))).toBe(true)

  proxy.passed.length = 0
  for (const exempt of [hostname, host, '*', `example.com,${hostname}`]) {
    vi.stubEnv('NO_PROXY', exempt)
    await use()
    expect(proxy.passed, exempt).toEqual([])
  }
  vi.stubEnv('NO_PROXY', 'example.com')
  await use()
  expect(proxy.passed).toHaveLength(requests)
})

test('an https address goes through HTTPS_PROXY as a tunnel', async () => {
  vi.stubEnv('NO_PROXY', undefined)
  vi.stubEnv('HTTPS_PROXY', proxy.url)
  const dispatcher = createDispatcher(5_000)
  const limits = { maxBytes: 100_000, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
  // The server at the other end speaks no TLS: what counts is the way there.
  const url = `https://127.0.0.1:${images.port}/car.jpg`
  await expect(fetchImage(url, limits, never)).rejects.toThrow('could not be fetched')
  expect(proxy.passed).toEqual([`CONNECT 127.0.0.1:${images.port}`])

  const endpoint = `https://127.0.0.1:${images.port}`
  await expect(openS3Store(s3Settings('any', { endpoint }))).rejects.toThrow('s3://any')
  expect(proxy.passed.length).toBeGreaterThan(1)
  await dispatcher.destroy()
})

test('a proxy that cannot be reached is told without its password', async () => {
  vi.stubEnv('NO_PROXY', undefined)
  vi.stubEnv('HTTP_PROXY', 'http://user:proxypass@127.0.0.1:1')
  for (const use of [useImages, useApi, useAccount, useStorage]) {
    const error = await use().then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    expect(error?.message).toContain('127.0.0.1')
    expect(error?.message).not.toContain('proxypass')
  }
})
