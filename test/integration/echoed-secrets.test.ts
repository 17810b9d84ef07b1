import type { IncomingMessage, RequestListener } from 'node:http'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import {
  IngestError,
  ingest,
  LookupError,
  parseAndNormalizeResponse,
  sendRequestWithRetry,
  uploadToS3,
} from '../../src/index.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { type HttpServer, startHttpServer } from '../support/http-server.ts'
import { findSecrets, markOf, spellingsOf } from '../support/secret-marks.ts'

// Servers that repeat what they were told, and programs that print whatever they are given: the library's errors, with all
// that hangs on them.

const KEY = markOf('key')
const TOKEN = markOf('session-token')
const SECRET = markOf('s3-secret')
const SIGNATURE = markOf('signature')
const PASSWORD = markOf('url-password')
const LICENSE = 'LIC0123456789abc'
const SECRETS = { KEY, TOKEN, SECRET, SIGNATURE, PASSWORD, LICENSE }

const dispatcher = createDispatcher(5_000)
let server: HttpServer
beforeAll(async () => {
  server = await startHttpServer()
})
afterAll(async () => {
  await dispatcher.destroy()
  await server[Symbol.asyncDispose]()
})

/** All that a program can print of an error, the causes of its causes included. */
async function printed(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => expect.unreachable(inspect(value)),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(IngestError)
  const { message, hint } = error as IngestError
  return `${message}\n${hint}\n${JSON.stringify(error)}\n${inspect(error, { depth: Number.POSITIVE_INFINITY })}`
}

const headersOf = ({ headers }: IncomingMessage) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')

/** Everything that came in the headers, and the key in every spelling. */
const echo = (request: IncomingMessage) =>
  `${headersOf(request)} license_key: ${LICENSE}\n${Object.values(spellingsOf(KEY)).slice(0, -8).join(' ')}`

const answering =
  (status: number, body: (request: IncomingMessage) => string): RequestListener =>
  (request, response) =>
    void request.resume().on('end', () => response.writeHead(status).end(body(request)))

const unparsable: RequestListener = (request) =>
  void request.socket.end(`HTTP/1.1 200 OK\r\n${headersOf(request)}\r\nbad\0header\r\n\r\n`)

function lookUp(apiUrl = server.url) {
  const { bytes } = fetchedImage()
  return sendRequestWithRetry({ bytes }, { apiUrl, apiKey: KEY, retries: 0, lostAnswer: 'fail' })
}

describe('an API', () => {
  test.each<[how: string, answer: RequestListener]>([
    ['403 and JSON', answering(403, (request) => JSON.stringify({ detail: echo(request) }))],
    ['401 and text', answering(401, echo)],
    ['400 and a page', answering(400, (request) => `<html><p>${echo(request)}</p></html>`)],
    ['400 and a list', answering(400, (request) => JSON.stringify({ upload: [echo(request)] }))],
    ['413', answering(413, echo)],
    ['500 and JSON in JSON', answering(500, (r) => JSON.stringify(JSON.stringify(echo(r))))],
    ['200 without results', answering(200, (request) => JSON.stringify({ said: echo(request) }))],
    ['200 and a page', answering(200, (request) => `<html>${echo(request)}</html>`)],
    ['a redirect', answering(302, echo)],
    ['what is no HTTP', unparsable],
  ])('that repeats the key with %s does not have it repeated', async (_how, answer) => {
    server.answerWith(answer)
    expect(findSecrets(await printed(lookUp()), SECRETS)).toEqual([])
  })

  test('that repeats it in an answer that is paid for has it nowhere in what is kept', async () => {
    const results = [{ plate: 'abc123', score: 0.9 }]
    server.answerWith(answering(200, (request) => JSON.stringify({ results, said: echo(request) })))
    const { response } = await lookUp()
    expect(findSecrets(JSON.stringify(response), SECRETS)).toEqual([])
    expect(parseAndNormalizeResponse(response).readings[0]?.plate).toBe('abc123')
  })

  test('whose answer is no JSON any more without the key has its answer kept as it came', async () => {
    const apiKey = '12345678'
    server.answerWith(answering(200, () => `{"results":[],"took":0.${apiKey}}`))
    const { bytes } = fetchedImage()
    const { response } = await sendRequestWithRetry({ bytes }, { apiUrl: server.url, apiKey })
    expect(response).toEqual({ results: [], took: 0.123_456_78 })
  })

  test('that is to fetch a link itself does not have its signature and password repeated', async () => {
    const imageUrl = `https://me:${encodeURIComponent(PASSWORD)}@cam.example/a.jpg?X-Amz-Signature=${encodeURIComponent(SIGNATURE)}&frame=7`
    const asked = () => sendRequestWithRetry({ imageUrl }, { apiUrl: server.url, retries: 0 })
    server.answerWith(
      answering(400, () => `{"upload_url":["${imageUrl} is none of ${SIGNATURE}"]}`),
    )
    const said = await printed(asked())
    expect(findSecrets(said, SECRETS)).toEqual([])
    expect(said).toContain('https://cam.example/a.jpg?frame=7: the API answered 400')
  })
})

describe('an S3 server', () => {
  const upload = (endpoint: string) => {
    const credentials = { accessKeyId: 'AKID', secretAccessKey: SECRET, sessionToken: TOKEN }
    return uploadToS3(fetchedImage(), { bucket: 'plates', endpoint, credentials })
  }
  const xml = (code: string) => (request: IncomingMessage) =>
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>No: ${escaped(headersOf(request))}</Message><Token-0>${escaped(TOKEN)}</Token-0><StringToSign>${escaped(headersOf(request))}</StringToSign><SignatureProvided>${signatureIn(request)}</SignatureProvided></Error>`
  const escaped = (text: string) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const signatureIn = ({ headers }: IncomingMessage) =>
    /Signature=(\w+)/.exec(headers.authorization ?? '')?.[1] ?? ''

  test.each<[status: number, code: string]>([
    [403, 'SignatureDoesNotMatch'],
    [400, 'InvalidToken'],
    [501, 'NotImplemented'],
  ])(
    'that repeats token and signature with %i %s does not have them repeated',
    async (status, code) => {
      let signature = ''
      server.answerWith((request, response) => {
        // The bucket is there; only a PUT has an answer with words.
        if (request.method === 'HEAD') return void response.writeHead(200).end()
        signature = signatureIn(request)
        answering(status, xml(code))(request, response)
      })
      const said = await printed(upload(server.url))
      expect(said).toContain('could not be stored')
      expect(findSecrets(said, { ...SECRETS, signature })).toEqual([])
      expect(signature).toMatch(/^[0-9a-f]{64}$/)
    },
  )

  test('that is not there, or speaks no HTTP, leads to no secret either', async () => {
    server.answerWith(unparsable)
    const said = await Promise.all(
      [server.url, 'http://127.0.0.1:1'].map((at) => printed(upload(at))),
    )
    expect(findSecrets(said.join('\n'), SECRETS)).toEqual([])
  })
})

describe('a server of images', () => {
  const line = (at: string) =>
    `http://me:${encodeURIComponent(PASSWORD)}@${at}/a.jpg?token=${encodeURIComponent(SIGNATURE)}`

  test.each<[how: string, answer: RequestListener]>([
    ['403', answering(403, (request) => `${request.url} ${headersOf(request)}`)],
    ['a page', answering(200, (r) => `<html>${line('cam')} ${r.url} ${headersOf(r)}</html>`)],
    [
      'a redirect to a file',
      (request, response) =>
        response.writeHead(302, { location: `file:///etc${request.url}` }).end(),
    ],
    [
      'a redirect to itself, with a password',
      (request, response) =>
        response.writeHead(302, { location: line(request.headers.host ?? '') }).end(),
    ],
    [
      'a redirect to where nobody listens',
      (_, response) => response.writeHead(302, { location: line('127.0.0.1:1') }).end(),
    ],
    [
      'a redirect to what is no address',
      (_, response) => response.writeHead(302, { location: `http://[${line('cam')}` }).end(),
    ],
    ['what is no HTTP', unparsable],
    ['a connection that is cut', (request) => request.socket.destroy()],
  ])('that answers with %s does not have signature and password told', async (_how, answer) => {
    server.answerWith(answer)
    const at = server.url.replace('http://', '')
    // As fetchImageBytes does, without its further tries.
    const options = { maxBytes: 10_000, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
    const said = await printed(fetchImage(line(at), options, new AbortController().signal))
    expect(findSecrets(said, SECRETS)).toEqual([])
  })
})

test('a database that is not there, and settings that are wrong, are told without passwords', async () => {
  const password = encodeURIComponent(PASSWORD)
  const env = { STORE_IMAGES: 'db', PLATE_API_KEY: KEY }
  const run = (more: Record<string, string>) => ingest({ images: [], env: { ...env, ...more } })
  const { reason } = await run({ DATABASE_URL: `postgresql://me:${password}@127.0.0.1:1/plates` })
  const said = await Promise.all([
    printed(Promise.reject(reason)),
    printed(run({ DATABASE_URL: `postgresql://me:${PASSWORD}@127.0.0.1/plates` })),
    printed(run({ SNAPSHOT_API_URL: `htp://me:${PASSWORD}@127.0.0.1` })),
    printed(run({ PLATE_API_KEY: `${KEY} ${KEY}` })),
    printed(run({ HTTPS_PROXY: `me:${PASSWORD}@proxy` })),
  ])
  expect(findSecrets(said.join('\n'), SECRETS)).toEqual([])
})

test('what a lookup keeps of an answer that it could not read holds no key', async () => {
  server.answerWith(answering(200, echo))
  const error: unknown = await lookUp().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(LookupError)
  const { body = '' } = error as LookupError
  expect(body).toContain('authorization: Token …')
  expect(findSecrets(body, SECRETS)).toEqual([])
})
