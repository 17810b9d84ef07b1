import type { IncomingMessage } from 'node:http'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAccount } from '../../src/account.ts'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import { sendLookup } from '../../src/lookup.ts'
import { drawPicture, fetchedImage } from '../support/drawn-images.ts'
import { type HttpServer, startHttpServer } from '../support/http-server.ts'
import { createAuthority, startTlsServer } from '../support/tls-servers.ts'

const KEY = 'secret-key-0123'
const never = new AbortController().signal
const dispatcher = createDispatcher(5_000)
let api: HttpServer
let other: HttpServer

beforeAll(async () => {
  api = await startHttpServer()
  other = await startHttpServer((_, response) => response.end('{"results":[]}'))
})
afterAll(async () => {
  await Promise.all([
    dispatcher.destroy(),
    api[Symbol.asyncDispose](),
    other[Symbol.asyncDispose](),
  ])
})

test.each([301, 302, 303, 307, 308])(
  'an API that redirects with status %i is not followed: nobody else gets the key, or the image',
  async (status) => {
    const keys: unknown[] = []
    api.answerWith((request, response) => {
      keys.push(request.headers.authorization)
      response.writeHead(status, { location: `${other.url}${request.url}` }).end()
    })
    const settings = {
      url: `${api.url}/v1/plate-reader/`,
      key: KEY,
      isCloud: false,
      allowInsecure: false,
    }
    const access = { ...settings, timeoutMs: 5_000, dispatcher }
    const asked = sendLookup(fetchedImage(), { regions: [], mmc: false }, access, never)
    await expect(asked).rejects.toMatchObject({ code: 'api_refused', status, isForAccount: false })
    await expect(readAccount(settings)).rejects.toMatchObject({ code: 'api_error', status })
    // The lookup, then the two addresses that tell of the account.
    expect(keys).toEqual([`Token ${KEY}`, `Token ${KEY}`, `Token ${KEY}`])
    expect(other.requests).toEqual([])
  },
)

test('credentials of a URL go to its own scheme, host and port, and not back there either; no server hears where from', async () => {
  const picture = await drawPicture('jpeg')
  const authority = await createAuthority()
  setDefaultCACertificates([...getCACertificates('default'), authority.certificate])
  const heard: [where: string, authorization: string | undefined][] = []
  const hears = (where: string, { headers }: IncomingMessage) => {
    heard.push([where, headers.authorization])
    expect(headers).not.toHaveProperty('referer')
    expect(headers).not.toHaveProperty('cookie')
  }
  await using tls = await startTlsServer(authority.right, (request, response) => {
    hears('tls', request)
    response.writeHead(302, { location: `${api.url}/back` }).end()
  })
  other.answerWith((request, response) => {
    hears('other port', request)
    response.writeHead(307, { location: `${tls.url}/tls` }).end()
  })
  api.answerWith((request, response) => {
    hears(`own ${request.url}`, request)
    if (request.url === '/back') response.end(picture)
    else if (request.url === '/first') response.writeHead(302, { location: '/second' }).end()
    else response.writeHead(302, { location: `${other.url}/` }).end()
  })
  const line = `${api.url.replace('//', '//gate:p%40ss@')}/first`
  const options = { maxBytes: 10_000, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
  const image = await fetchImage(line, options, never)
  expect(image.source).toBe(`${api.url}/first`)
  const basic = `Basic ${Buffer.from('gate:p@ss').toString('base64')}`
  expect(heard).toEqual([
    ['own /first', basic],
    ['own /second', basic],
    ['other port', undefined],
    ['tls', undefined],
    ['own /back', undefined],
  ])
})
