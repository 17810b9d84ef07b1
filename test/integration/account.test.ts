import type { RequestListener } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { explainRefusal, readAccount } from '../../src/account.ts'
import type { ApiSettings } from '../../src/config.ts'
import { LookupError } from '../../src/errors.ts'
import type { SandboxOptions } from '../../src/sandbox/options.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { disposables } from '../support/disposables.ts'
import { freePort } from '../support/free-port.ts'
import { startHttpServer } from '../support/http-server.ts'

const KEY = 'secret-key-0123'
let open = disposables()
afterEach(async () => {
  await open[Symbol.asyncDispose]()
  open = disposables()
})

async function sandboxWith(options: SandboxOptions) {
  return open.use(await startSandbox(options))
}

/** `isCloud` is what the host's name says: the sandbox stands in for both. */
function apiAt(url: string, changes: Partial<ApiSettings> = {}): ApiSettings {
  return { url, key: KEY, isCloud: true, allowInsecure: false, ...changes }
}

async function failureOf(asking: Promise<unknown>): Promise<LookupError> {
  const error = await asking.catch((thrown: unknown) => thrown)
  if (!(error instanceof LookupError)) throw new Error('a LookupError was expected')
  expect(`${error.message} ${error.hint}`).not.toContain(KEY)
  return error
}

test('the cloud tells what is used and allowed, and when that ends; it costs no lookup', async () => {
  const sandbox = await sandboxWith({ usedCalls: 42, totalCalls: 50_000, token: KEY })
  expect(await readAccount(apiAt(sandbox.url))).toEqual({
    kind: 'cloud',
    used: 42,
    allowed: 50_000,
    resetsOn: expect.stringMatching(/^\d{4}-\d\d-01T00:00:00Z$/),
    version: undefined,
  })
  expect(sandbox).toMatchObject({ statisticsRequests: 1, lookups: [] })
})

test('an SDK tells its version too; its licence key is nowhere in what is read', async () => {
  const sandbox = await sandboxWith({ flavor: 'sdk', usedCalls: 3, totalCalls: 1_000 })
  const account = await readAccount(apiAt(sandbox.url, { isCloud: false, key: undefined }))
  expect(account).toEqual({
    kind: 'sdk',
    used: 3,
    allowed: 1_000,
    resetsOn: undefined,
    version: '1.58.0',
  })
  expect(JSON.stringify(account)).not.toContain('license')
})

test('a host of another name that is no SDK is asked as the cloud is', async () => {
  const sandbox = await sandboxWith({ usedCalls: 1 })
  expect(await readAccount(apiAt(sandbox.url, { isCloud: false }))).toMatchObject({
    kind: 'cloud',
    used: 1,
  })
})

test('an API below a path of its host is asked there', async () => {
  await using server = await startHttpServer((_, response) => response.end('{"total_calls":5}'))
  await readAccount(apiAt(`${server.url}/anpr/v1/plate-reader/`))
  await readAccount(apiAt(`${server.url}/anpr/v1/plate-reader/`, { isCloud: false }))
  expect(server.requests).toEqual(['GET /anpr/v1/statistics/', 'GET /anpr/info/'])
})

test.each<[what: string, key: string | undefined, hint: RegExp]>([
  ['a wrong key is refused', KEY, /^Check PLATE_API_KEY/],
  ['no key is refused', undefined, /^Set PLATE_API_KEY/],
])('%s, with what to do', async (_what, key, hint) => {
  const sandbox = await sandboxWith({ token: 'another' })
  const error = await failureOf(readAccount(apiAt(sandbox.url, { key })))
  expect(error).toMatchObject({ code: 'api_refused', status: 403, scope: 'run' })
  expect(error.hint).toMatch(hint)
})

const REFUSAL = new LookupError('api_refused', 'car.jpg: the API answered 403', { status: 403 })

test('a refusal without credits left is told as that, with the day they are renewed', async () => {
  const sandbox = await sandboxWith({ usedCalls: 2_500 })
  const explained = await explainRefusal(REFUSAL, apiAt(sandbox.url))
  expect(explained).toMatchObject({ code: 'api_refused', scope: 'run', cause: REFUSAL })
  expect(explained.message).toMatch(
    /^No credits are left: 2500 of 2500 lookups are used; the next are there on \d{4}-\d\d-01\.$/,
  )
  expect(explained.hint).toContain('Wait until then or buy more')
})

test('a refusal of a key that the account refuses too is told as a wrong key', async () => {
  const sandbox = await sandboxWith({ token: 'another' })
  const explained = await explainRefusal(REFUSAL, apiAt(sandbox.url))
  expect(explained.message).toContain('refuses the API key')
  expect(explained.hint).toContain('Check PLATE_API_KEY')
})

test.each<[what: string, options: SandboxOptions]>([
  ['credits are left', { usedCalls: 10 }],
  ['the account cannot be asked', { flavor: 'sdk' }],
])('a refusal stays as it is when %s', async (_what, options) => {
  const sandbox = await sandboxWith(options)
  expect(await explainRefusal(REFUSAL, apiAt(sandbox.url))).toBe(REFUSAL)
})

const answer =
  (status: number, body: string): RequestListener =>
  (_, response) =>
    response.writeHead(status).end(body)

test.each<[what: string, handler: RequestListener, code: string]>([
  ['a page', answer(200, '<html>Welcome</html>'), 'api_error'],
  ['a list', answer(200, '[]'), 'api_error'],
  ['half an answer', answer(200, '{"usage":{"calls"'), 'api_error'],
  ['JSON about something else', answer(200, '{"status":"ok"}'), 'api_error'],
  ['an empty body', answer(200, ''), 'api_error'],
  ['not found', answer(404, 'no such page'), 'api_error'],
  ['a failure', answer(500, '<html>Oops</html>'), 'api_error'],
  [
    'an endless body',
    (_, response) => void response.write('x'.repeat(2_000_000)),
    'api_unreachable',
  ],
  ['a broken connection', (request) => void request.socket.destroy(), 'api_unreachable'],
])('%s instead of an account is an error, on both kinds of host', async (_what, handler, code) => {
  await using server = await startHttpServer(handler)
  for (const isCloud of [true, false]) {
    const asking = readAccount(apiAt(`${server.url}/v1/plate-reader/`, { isCloud }))
    const error = await failureOf(asking)
    expect(error.code).toBe(code)
    expect(error.message).toContain(new URL(server.url).host)
  }
})

test('a port where nobody listens is api_unreachable', async () => {
  const url = `http://127.0.0.1:${await freePort()}/v1/plate-reader/`
  expect(await failureOf(readAccount(apiAt(url)))).toMatchObject({ code: 'api_unreachable' })
})
