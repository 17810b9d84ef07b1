import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAccount } from '../../src/account.ts'
import { IngestError } from '../../src/errors.ts'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import { sendLookup } from '../../src/lookup.ts'
import { openS3Store } from '../../src/storage/s3-store.ts'
import { disposables } from '../support/disposables.ts'
import { drawPicture, fetchedImage } from '../support/drawn-images.ts'
import { s3Settings } from '../support/s3-settings.ts'
import {
  type Authority,
  createAuthority,
  startTlsServer,
  type TlsServer,
} from '../support/tls-servers.ts'

// The fourth end, the database, has its own protocol: database-tls.test.ts.

type Kind = 'right' | 'selfSigned' | 'otherName' | 'expired'

const never = new AbortController().signal
const dispatcher = createDispatcher(5_000)
const open = disposables()
let servers: Record<Kind, TlsServer>

beforeAll(async () => {
  const authority = await createAuthority()
  // What NODE_EXTRA_CA_CERTS does for a process at its start.
  setDefaultCACertificates([...getCACertificates('default'), authority.certificate])
  servers = {
    right: await start(authority, 'right'),
    selfSigned: await start(authority, 'selfSigned'),
    otherName: await start(authority, 'otherName'),
    expired: await start(authority, 'expired'),
  }
})
afterAll(async () => {
  await dispatcher.destroy()
  await open[Symbol.asyncDispose]()
})

/** A picture for whoever asks for one, and no more than politeness for others. */
async function start(authority: Authority, kind: Kind): Promise<TlsServer> {
  const picture = await drawPicture('jpeg')
  return open.use(
    await startTlsServer(authority[kind], (request, response) => {
      response.end(request.url === '/car.jpg' ? picture : '{"results":[],"usage":{"calls":1}}')
    }),
  )
}

const ENDS: [end: string, code: string, ask: (url: string) => Promise<unknown>][] = [
  [
    'the server of an image',
    'fetch_unreachable',
    (url) => {
      const options = { maxBytes: 10_000, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
      return fetchImage(`${url}/car.jpg`, options, never)
    },
  ],
  [
    'the API',
    'api_unreachable',
    (url) => {
      const access = { url: `${url}/v1/plate-reader/`, key: 'key', timeoutMs: 5_000, dispatcher }
      return sendLookup(fetchedImage(), { regions: [], mmc: false }, access, never)
    },
  ],
  [
    'the API, asked about the account',
    'api_unreachable',
    (url) =>
      readAccount({
        url: `${url}/v1/plate-reader/`,
        key: 'key',
        isCloud: true,
        allowInsecure: false,
      }),
  ],
  [
    'the S3 server',
    'storage_down',
    async (url) => (await openS3Store(s3Settings('plates', { endpoint: url }))).close(),
  ],
]

const REFUSALS: [kind: Kind, said: RegExp, hint: RegExp][] = [
  ['selfSigned', /self-signed certificate/, /NODE_EXTRA_CA_CERTS=<file>/],
  ['otherName', /127\.0\.0\.1/, /^The server's certificate is for another name\./],
  ['expired', /certificate has expired/, /Renew it, and check this machine's clock\.$/],
]

describe.each(ENDS)('%s', (_end, code, ask) => {
  test.each(REFUSALS)('is not told a word when its certificate is %s', async (kind, said, hint) => {
    const error = await ask(servers[kind].url).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(IngestError)
    expect(error).toMatchObject({
      code,
      message: expect.stringMatching(said),
      hint: expect.stringMatching(hint),
    })
    expect(servers[kind].requests).toEqual([])
  })

  test('is spoken to when an authority that is known has signed for its name', async () => {
    const before = servers.right.requests.length
    await ask(servers.right.url)
    expect(servers.right.requests.length).toBeGreaterThan(before)
  })
})

test('a certificate is not tried again: neither an image nor a lookup would come to it', async () => {
  const [image, lookup] = await Promise.all(
    ENDS.slice(0, 2).map(([, , ask]) =>
      ask(servers.expired.url).catch((thrown: unknown) => thrown),
    ),
  )
  expect(image).toMatchObject({ isTransient: false })
  expect(lookup).toMatchObject({ isRetryable: false, isUncertain: false })
})
