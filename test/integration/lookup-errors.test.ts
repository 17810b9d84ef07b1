import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { LookupError } from '../../src/errors.ts'
import { createDispatcher } from '../../src/http.ts'
import { sendLookup } from '../../src/lookup.ts'
import type { SandboxFault } from '../../src/sandbox/fault.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { freePort } from '../support/free-port.ts'
import { startHttpServer } from '../support/http-server.ts'

const KEY = 'secret-key-0123'
const dispatcher = createDispatcher(5_000)
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox()
})
afterEach(() => {
  sandbox.configure({ fault: undefined, resetBeforeBody: undefined, lookupsPerSecond: undefined })
  sandbox.configure({ token: undefined, uploadLimitBytes: undefined })
  sandbox.reset()
})
afterAll(async () => {
  await dispatcher.destroy()
  await sandbox.close()
})

async function failureOf({
  url = sandbox.url,
  timeoutMs = 5_000,
  signal = new AbortController().signal,
} = {}): Promise<LookupError> {
  const access = { url, key: KEY, timeoutMs, dispatcher }
  const question = { regions: [], mmc: false }
  const error = await sendLookup(fetchedImage(), question, access, signal).catch(
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof LookupError)) throw new Error('a LookupError was expected')
  expect(`${error.message} ${error.hint}`).not.toContain(KEY)
  return error
}

const fail = (fault: SandboxFault) => sandbox.configure({ fault: () => fault })
const HTML = '<html><head><title>Bad gateway</title></head>\n<body>nginx</body></html>'
const UPLOAD_LIMIT = '{"error":"Invalid file. See https://app.platerecognizer.com/upload-limit/"}'

/** R: another attempt may help. A: for want of the API. */
test.each<[status: number, body: string, code: string, facts: string]>([
  [301, '', 'api_refused', ''],
  [400, '{"upload":["not an image"]}', 'api_rejected', ''],
  [400, UPLOAD_LIMIT, 'api_too_large', ''],
  [401, '{"detail":"No."}', 'api_refused', ''],
  [402, '{"detail":"Pay."}', 'api_refused', ''],
  [403, '{"detail":"Invalid token."}', 'api_refused', ''],
  [403, HTML, 'api_refused', ''],
  [404, '404: Not Found', 'api_refused', ''],
  [405, '405: Method Not Allowed', 'api_refused', ''],
  [413, UPLOAD_LIMIT, 'api_too_large', ''],
  [413, HTML, 'api_too_large', ''],
  [415, '', 'api_unsupported', ''],
  [418, 'teapot', 'api_rejected', ''],
  [429, '{"detail":"Request was throttled."}', 'api_error', 'R'],
  [429, HTML, 'api_error', 'R'],
  [500, '{"detail":"Response 500"}', 'api_error', 'RA'],
  [502, HTML, 'api_error', 'RA'],
  [503, '', 'api_error', 'RA'],
  [504, HTML, 'api_error', 'RA'],
])('status %i with %j is %s', async (status, body, code, facts) => {
  fail({ status, body })
  expect(await failureOf()).toMatchObject({
    code,
    status,
    isRetryable: facts.includes('R'),
    isForWantOfApi: facts.includes('A'),
    isUncertain: false,
    scope: code === 'api_refused' ? 'run' : 'image',
    throttledForMs: status === 429 ? 1_000 : undefined,
  })
})

test.each<[body: string, words: string]>([
  ['{"detail":"Invalid token.","status_code":400}', 'the API answered 400: Invalid token.'],
  ['{"error":"Invalid file."}', 'the API answered 400: Invalid file.'],
  [HTML, 'the API answered 400: Bad gateway nginx'],
  ['', 'the API answered 400: (empty body)'],
])('the message of a refusal has the words of %s', async (body, words) => {
  fail({ status: 400, body })
  expect((await failureOf()).message).toBe(`lane-1/picture.jpg: ${words}`)
})

test.each<[told: string, headers: Record<string, string>, body: string, waitMs: number]>([
  ['in seconds', { 'retry-after': '7' }, '', 7_000],
  ['in the sentence', {}, '{"detail":"Expected available in 1 second."}', 1_000],
  ['in the sentence, many', {}, '{"detail":"Expected available in 86400 seconds."}', 86_400_000],
  ['nowhere', {}, '{}', 1_000],
])('a 429 that tells its wait %s', async (_told, headers, body, throttledForMs) => {
  fail({ status: 429, headers, body })
  expect(await failureOf()).toMatchObject({ throttledForMs })
})

test('a wrong key and a rate that is too high are told by the API itself', async () => {
  sandbox.configure({ token: 'another' })
  expect(await failureOf()).toMatchObject({ code: 'api_refused', status: 403 })
  sandbox.configure({ token: undefined, lookupsPerSecond: 0.1 })
  const send = () => failureOf().catch(() => undefined)
  await send()
  expect(await send()).toMatchObject({ status: 429, throttledForMs: 10_000 })
})

test('an image beyond the upload limit is api_too_large', async () => {
  sandbox.configure({ uploadLimitBytes: 100 })
  expect(await failureOf()).toMatchObject({ code: 'api_too_large', status: 413 })
})

test.each<[fault: SandboxFault, billed: boolean, body: string | undefined]>([
  ['truncated-json', true, expect.stringMatching(/^\{"processing_time"/)],
  ['html-200', true, expect.stringMatching(/^<!DOCTYPE html>/)],
  [{ rawAnswer: '' }, true, ''],
  [{ rawAnswer: 'null' }, true, 'null'],
  [{ answer: { results: 'none' } }, true, '{"results":"none"}'],
  [{ answer: { detail: 'later' } }, true, '{"detail":"later"}'],
  ['reset-before-answer', false, undefined],
  ['reset-in-answer', true, undefined],
  ['reset-after-billing', true, undefined],
  ['hang', true, undefined],
])('%j: an answer that was lost may have been billed', async (fault, billed, body) => {
  fail(fault)
  expect(await failureOf({ timeoutMs: fault === 'hang' ? 300 : 10_000 })).toMatchObject({
    code: 'answer_lost',
    isRetryable: true,
    isUncertain: true,
    isForWantOfApi: true,
    body,
  })
  expect(sandbox.billedCount()).toBe(billed ? 1 : 0)
})

test('of an answer that could not be read only the beginning is kept', async () => {
  fail({ rawAnswer: 'x'.repeat(1_000_000) })
  expect((await failureOf()).body).toHaveLength(2_000)
})

/** A server that never ends its answer. */
const endless = (status: number, begin = '') =>
  startHttpServer((_, response) => {
    response.writeHead(status)
    response.write(begin)
    const more = () => {
      if (!response.destroyed) response.write('x'.repeat(1_000_000), more)
    }
    more()
  })

test('an answer without end was probably billed, is given up at 10 MB, and is not asked for again', async () => {
  await using server = await endless(201, `{"results":[], "${KEY}":"`)
  const error = await failureOf({ url: server.url })
  expect(error).toMatchObject({
    ...{ code: 'answer_too_large', status: 201, isUncertain: true },
    ...{ isRetryable: false, isForWantOfApi: false },
  })
  expect(error.message).toContain('more than 10 MB')
  expect(error.body).toMatch(/^\{"results":\[\], "…":"x+$/)
  expect(error.body).toHaveLength(2_000)
})

test('a refusal without end is the refusal that its status says', async () => {
  await using server = await endless(403, '{"detail":"Invalid token.","more":"')
  expect(await failureOf({ url: server.url })).toMatchObject({
    ...{ code: 'api_refused', status: 403, isUncertain: false },
    message: 'lane-1/picture.jpg: the API answered 403: Invalid token.',
  })
})

test.each<[what: string, body: string]>([
  ['angle brackets', '<'.repeat(9_000_000)],
  ['an error that does not end', `{"detail":"${'\\\\'.repeat(4_500_000)}`],
  ['errors in errors', '"detail":"\\'.repeat(900_000)],
])('a refusal of nothing but %s is told in one line', async (_what, body) => {
  fail({ status: 403, body })
  const error = await failureOf()
  expect(error).toMatchObject({ code: 'api_refused', isUncertain: false })
  expect(error.message.length).toBeLessThan(300)
})

test('silence ends with the deadline of the whole request', async () => {
  fail('hang')
  const error = await failureOf({ timeoutMs: 200 })
  expect(error.message).toContain('no answer within 0.2 s')
})

test('a connection reset before the body was sent may have been billed, for all that is known', async () => {
  sandbox.configure({ resetBeforeBody: () => true })
  expect(await failureOf()).toMatchObject({ code: 'answer_lost', isUncertain: true })
})

test.each<[what: string, url: () => Promise<string>]>([
  ['a port where nobody listens', async () => `http://127.0.0.1:${await freePort()}/`],
  ['a host that does not exist', async () => 'http://no-such-host.invalid/'],
])('%s was certainly not billed', async (_what, url) => {
  expect(await failureOf({ url: await url() })).toMatchObject({
    code: 'api_unreachable',
    isRetryable: true,
    isUncertain: false,
    isForWantOfApi: true,
  })
})

test('a server without TLS behind an https address was certainly not billed', async () => {
  const url = sandbox.url.replace('http://', 'https://')
  expect(await failureOf({ url })).toMatchObject({ code: 'api_unreachable', isUncertain: false })
})

test('a lookup given up after it was sent may have been billed', async () => {
  fail('hang')
  const stopper = new AbortController()
  const failing = failureOf({ signal: stopper.signal })
  await vi.waitUntil(() => sandbox.billedCount() === 1, 10_000)
  stopper.abort()
  expect(await failing).toMatchObject({ code: 'answer_lost', isUncertain: true })
})
