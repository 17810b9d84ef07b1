import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { SandboxFault } from '../../src/sandbox/fault.ts'
import { parseMultipart } from '../../src/sandbox/multipart.ts'
import type { SandboxOptions } from '../../src/sandbox/options.ts'
import { loadSampleAnswers, type SampleAnswers } from '../../src/sandbox/sample-answers.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { slidingThrottle } from '../../src/sandbox/throttle.ts'

const CAR = Buffer.from('bytes of a picture of a car')
const CAR_SHA256 = hash('sha256', CAR)
const ROAD = Buffer.from('bytes of a picture of an empty road')

const BOX = { xmin: 143, ymin: 481, xmax: 282, ymax: 575 }
const VEHICLE_BOX = { xmin: 67, ymin: 113, xmax: 908, ymax: 653 }
const PLATE = {
  box: BOX,
  plate: 'nhk552',
  region: { code: 'gb', score: 0.747 },
  score: 0.904,
  candidates: [{ score: 0.904, plate: 'nhk552' }],
  dscore: 0.99,
  vehicle: { score: 0.798, type: 'Sedan', box: VEHICLE_BOX },
}
const MMC = {
  model_make: [{ make: 'Riley', model: 'RMF', score: 0.306 }],
  color: [{ color: 'black', score: 0.937 }],
  orientation: [{ orientation: 'Front', score: 0.937 }],
}
const ANSWERS: SampleAnswers = {
  [CAR_SHA256]: {
    file: 'car.jpg',
    image_width: 1024,
    image_height: 768,
    results: [{ ...PLATE, ...MMC }],
  },
}

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
})

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ answers: ANSWERS, ...options })
  open.push(sandbox)
  return sandbox
}

type Body = NonNullable<RequestInit['body']>

interface Sent {
  image?: Uint8Array<ArrayBuffer>
  filename?: string
  fields?: Record<string, string | string[]>
  authorization?: string | undefined
  signal?: AbortSignal
}

function post({ url }: Sandbox, sent: Sent = {}): Promise<Response> {
  const { image = CAR, filename = 'car.jpg', fields = {} } = sent
  const body = new FormData()
  body.append('upload', new Blob([image]), filename)
  for (const [name, values] of Object.entries(fields)) {
    for (const value of [values].flat()) body.append(name, value)
  }
  return postBody(url, body, sent)
}

function postBody(
  url: string,
  body: Body | null,
  sent: Pick<Sent, 'authorization' | 'signal'> & { type?: string } = {},
): Promise<Response> {
  const { authorization = 'authorization' in sent ? undefined : 'Token sandbox' } = sent
  const headers = new Headers()
  if (authorization !== undefined) headers.set('authorization', authorization)
  if (sent.type !== undefined) headers.set('content-type', sent.type)
  return fetch(url, { method: 'POST', body, headers, signal: sent.signal ?? null })
}

async function answerOf(response: Promise<Response>) {
  const { status, headers, ...rest } = await response.then(async (answered) => ({
    status: answered.status,
    headers: answered.headers,
    text: await answered.text(),
  }))
  return { status, headers, text: rest.text, json: () => JSON.parse(rest.text) }
}

const statistics = ({ url }: Sandbox) => new URL('../statistics/', url)
const asUser = { headers: { authorization: 'Token sandbox' } }

describe('a successful answer', () => {
  test('of the cloud is 201 with its keys and a rewritten filename', async () => {
    const sandbox = await start()
    const answer = await answerOf(post(sandbox, { filename: 'Größe 1.jpg' }))
    expect(answer.status).toBe(201)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.json()).toEqual({
      processing_time: expect.any(Number),
      results: [PLATE],
      filename: expect.stringMatching(/^[0-2]\d[0-5]\d_[A-Za-z0-9]{5}_Größe 1\.jpg$/),
      version: 1,
      camera_id: null,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      image_width: 1024,
      image_height: 768,
    })
  })

  test('of the SDK is 200 with its keys, the filename as sent and the usage', async () => {
    const sandbox = await start({ flavor: 'sdk', usedCalls: 4, totalCalls: 1000 })
    const answer = await answerOf(post(sandbox, { authorization: undefined }))
    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual({
      filename: 'car.jpg',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/),
      camera_id: null,
      results: [PLATE],
      usage: { calls: 5, max_calls: 1000 },
      processing_time: expect.any(Number),
    })
  })

  test('has no results and no size for an image it does not know, and bills it', async () => {
    const sandbox = await start()
    const { results, ...rest } = (await answerOf(post(sandbox, { image: ROAD }))).json()
    expect(results).toEqual([])
    expect(rest).not.toHaveProperty('image_width')
    expect(sandbox.billedCount()).toBe(1)
  })

  test('comes from the address without its last slash too', async () => {
    const sandbox = await start()
    const body = new URLSearchParams({ upload: CAR.toString('base64') })
    const { status } = await answerOf(postBody(sandbox.url.slice(0, -1), body))
    expect(status).toBe(201)
  })

  test('echoes the camera', async () => {
    const sandbox = await start()
    const fields = { camera_id: 'Gate 7 - north' }
    expect((await answerOf(post(sandbox, { fields }))).json().camera_id).toBe('Gate 7 - north')
  })

  test.each([
    ['cloud', '2019-08-19T13:11:25', '2019-08-19T13:11:25Z'],
    ['cloud', '2019-08-19T13:11:25.000Z', '2019-08-19T13:11:25Z'],
    ['cloud', '2020-05-03T20:09:13.198Z', '2020-05-03T20:09:13.198000Z'],
    ['cloud', '2023-10-10T13:22:41.178728Z', '2023-10-10T13:22:41.178728Z'],
    ['cloud', '2024-02-29T23:30:00.5-04:00', '2024-03-01T03:30:00.500000Z'],
    ['sdk', '2020-05-03T20:09:13.198Z', '2020-05-03 20:09:13.198000'],
    ['sdk', '2020-01-16T17:00:00', '2020-01-16 17:00:00'],
  ] as const)('of the %s renders the timestamp %s as %s', async (flavor, timestamp, rendered) => {
    const sandbox = await start({ flavor })
    const answer = await answerOf(post(sandbox, { fields: { timestamp } }))
    expect(answer.json().timestamp).toBe(rendered)
  })

  test.each([
    ['true', true],
    ['True', true],
    ['false', false],
    ['1', false],
  ])('asked with mmc=%s has make, color and orientation: %s', async (mmc, has) => {
    const sandbox = await start()
    const answer = await answerOf(post(sandbox, { fields: { mmc } }))
    expect(answer.json().results).toEqual([has ? { ...PLATE, ...MMC } : PLATE])
  })

  test.each([
    ['true', 'true', { direction: 81, direction_score: 0.999 }],
    ['true', 'false', {}],
    ['false', 'true', {}],
  ])('asked with mmc=%s direction=%s has the direction %j', async (mmc, direction, expected) => {
    const seen = { ...PLATE, ...MMC, direction: 81, direction_score: 0.999 }
    const sandbox = await start({ answers: { [CAR_SHA256]: { results: [seen] } } })
    const [result] = (await answerOf(post(sandbox, { fields: { mmc, direction } }))).json().results
    expect(result).toEqual({ ...PLATE, ...(mmc === 'true' && MMC), ...expected })
  })
})

describe('vehicle mode', () => {
  const config = JSON.stringify({ detection_mode: 'vehicle', mode: 'fast' })

  test('has the other shape of result', async () => {
    const sandbox = await start()
    const answer = await answerOf(post(sandbox, { fields: { config, mmc: 'true' } }))
    expect(answer.json().results).toEqual([
      {
        plate: {
          type: 'Plate',
          score: 0.99,
          box: BOX,
          props: {
            plate: [{ value: 'nhk552', score: 0.904 }],
            region: [{ value: 'gb', score: 0.747 }],
          },
        },
        vehicle: {
          type: 'Sedan',
          score: 0.798,
          box: VEHICLE_BOX,
          props: {
            make_model: [{ make: 'Riley', model: 'RMF', score: 0.306 }],
            orientation: [{ value: 'Front', score: 0.937 }],
            color: [{ value: 'black', score: 0.937 }],
          },
        },
      },
    ])
  })

  test('has a null vehicle where plate mode has one of zeros', async () => {
    const none = {
      type: 'Unknown',
      score: 0,
      box: { xmin: 0, ymin: 0, xmax: 0, ymax: 0 },
    }
    const answers = { [CAR_SHA256]: { results: [{ ...PLATE, vehicle: none }] } }
    const sandbox = await start({ answers })
    const answer = await answerOf(post(sandbox, { fields: { config } }))
    expect(answer.json().results).toMatchObject([{ plate: { type: 'Plate' }, vehicle: null }])
  })

  test('is not entered by other engine settings', async () => {
    const sandbox = await start()
    const fields = { config: '{"mode":"redaction","detection_mode":"plate"}' }
    expect((await answerOf(post(sandbox, { fields }))).json().results).toEqual([PLATE])
  })
})

describe('the image', () => {
  const base64 = CAR.toString('base64')

  test.each<[how: string, body: Body, type: string | undefined]>([
    ['base64 in a multipart field', multipart({ upload: base64 }), undefined],
    ['base64 in a urlencoded field', new URLSearchParams({ upload: base64 }), undefined],
    ['base64 in JSON', JSON.stringify({ upload: base64 }), 'application/json'],
  ])('may come as %s, and then gets an invented name', async (_how, body, type) => {
    const sandbox = await start()
    const answer = await answerOf(postBody(sandbox.url, body, type === undefined ? {} : { type }))
    expect(answer.json()).toMatchObject({
      results: [PLATE],
      filename: expect.stringMatching(/^\d{4}_\w{5}_[0-9a-f-]{36}\.jpg$/),
    })
  })

  test('may be any bytes, and is hashed as it was sent', async () => {
    const sandbox = await start()
    const image = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 256))
    await answerOf(post(sandbox, { image }))
    expect(sandbox.lookups).toMatchObject([{ sha256: hash('sha256', image), bytes: 300_000 }])
  })

  test('behind upload_url is fetched by the cloud', async () => {
    const images = await serveImage(200)
    const sandbox = await start()
    const body = new URLSearchParams({ upload_url: `${images}/gate/car.jpg` })
    const answer = await answerOf(postBody(sandbox.url, body))
    expect(answer.json().results).toEqual([PLATE])
    expect(sandbox.lookups).toMatchObject([
      { sha256: CAR_SHA256, bytes: CAR.length, fields: { upload_url: [`${images}/gate/car.jpg`] } },
    ])
  })

  test('behind an upload_url that cannot be fetched is refused and not billed', async () => {
    const images = await serveImage(404)
    const sandbox = await start()
    for (const upload_url of [`${images}/car.jpg`, 'no address']) {
      const answer = await answerOf(postBody(sandbox.url, new URLSearchParams({ upload_url })))
      expect(answer.status).toBe(400)
      expect(answer.json()).toEqual({ upload_url: [expect.any(String)] })
    }
    expect(sandbox.billedCount()).toBe(0)
  })

  test('behind upload_url is not taken by the SDK', async () => {
    const sandbox = await start({ flavor: 'sdk' })
    const body = new URLSearchParams({ upload_url: 'http://127.0.0.1:9/car.jpg' })
    expect((await answerOf(postBody(sandbox.url, body))).status).toBe(400)
  })

  async function serveImage(status: number): Promise<string> {
    const server = createServer((_request, response) => response.writeHead(status).end(CAR))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    open.push({
      async [Symbol.asyncDispose]() {
        server.closeAllConnections()
        server.close()
      },
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
})

function multipart(fields: Record<string, string>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return form
}

describe('a multipart body', () => {
  const type = 'multipart/form-data; boundary=b'
  const part = (head: string, content = 'x') =>
    `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`

  test.each<[what: string, type: string, body: string, parts: object[]]>([
    ['a short boundary', type, `${part('name="a"')}--b--\r\n`, [{ name: 'a', content: 'x' }]],
    ['a quoted boundary', `${type.slice(0, -1)}"b"`, `${part('name="a"')}--b--`, [{ name: 'a' }]],
    ['a preamble', type, `hello\r\n${part('name="a"')}--b--\r\nbye`, [{ name: 'a' }]],
    ['no parts', type, '--b--\r\n', []],
    ['an empty value', type, `${part('name="a"', '')}--b--`, [{ name: 'a', content: '' }]],
    [
      'line ends in a value',
      type,
      `${part('name="a"', '\r\n\r\n--\r\n')}--b--`,
      [{ content: '\r\n\r\n--\r\n' }],
    ],
    [
      'unquoted names',
      type,
      `${part('name=a; filename=b.jpg')}--b--`,
      [{ name: 'a', filename: 'b.jpg' }],
    ],
    [
      'the filename first',
      type,
      `${part('filename="b.jpg"; name="a"')}--b--`,
      [{ name: 'a', filename: 'b.jpg' }],
    ],
    [
      'escapes',
      type,
      `${part('name="a"; filename="a \\"b\\";\\\\c"')}--b--`,
      [{ filename: 'a "b";\\c' }],
    ],
    ['more headers', type, `${part('name="a"\r\nContent-Type: image/jpeg')}--b--`, [{ name: 'a' }]],
    [
      'two parts',
      type,
      `${part('name="a"')}${part('name="a"', 'y')}--b--`,
      [{ content: 'x' }, { content: 'y' }],
    ],
  ])('may have %s', (_what, contentType, body, parts) => {
    const read = parseMultipart(Buffer.from(body), contentType)
    expect(read.map((each) => ({ ...each, content: each.content.toString() }))).toMatchObject(parts)
  })

  test.each([
    ['no boundary', 'multipart/form-data', `${part('name="a"')}--b--`],
    ['another boundary', 'multipart/form-data; boundary=c', `${part('name="a"')}--b--`],
    ['no end', type, part('name="a"')],
    ['a part cut off', type, part('name="a"').slice(0, -3)],
    ['a part without a name', type, `${part('filename="b.jpg"')}--b--`],
  ])('may not have %s', (_what, contentType, body) => {
    expect(() => parseMultipart(Buffer.from(body), contentType)).toThrow(Error)
  })
})

describe('a body it cannot use', () => {
  const noUpload = { non_field_errors: ['Upload or upload_url field cannot be empty.'] }
  const detail = { detail: expect.any(String) }

  test.each<[what: string, body: Body | null, type: string | undefined, number, object]>([
    ['a form without upload', multipart({ mmc: 'true' }), undefined, 400, noUpload],
    ['an empty upload text', multipart({ upload: '' }), undefined, 400, noUpload],
    ['a multipart header without body', '', 'multipart/form-data', 400, noUpload],
    ['JSON without upload', '{}', 'application/json', 400, noUpload],
    ['a broken multipart', '--x\r\nno', 'multipart/form-data; boundary=x', 400, detail],
    ['broken JSON', '{', 'application/json', 400, detail],
    [
      'JSON that is no object',
      '7',
      'application/json',
      400,
      { non_field_errors: [expect.any(String)] },
    ],
    [
      'an upload that is not base64',
      multipart({ upload: 'a car!' }),
      undefined,
      400,
      { upload: [expect.any(String)] },
    ],
    [
      'plain text',
      'car',
      'text/plain',
      415,
      { detail: 'Unsupported media type "text/plain" in request.', status_code: 415 },
    ],
    ['no content type', Buffer.from('car'), undefined, 415, detail],
  ])('such as %s is refused and not billed', async (_what, body, type, status, expected) => {
    const sandbox = await start()
    const answer = await answerOf(postBody(sandbox.url, body, type === undefined ? {} : { type }))
    expect(answer.status).toBe(status)
    expect(answer.json()).toMatchObject(expected)
    expect(sandbox.lookups).toMatchObject([{ status, billed: false }])
  })

  test.each([
    ['config', '{mode:fast}', { config: ['Value must be valid JSON.'] }],
    ['timestamp', 'yesterday', { timestamp: [expect.stringContaining('wrong format')] }],
    ['timestamp', '2024-13-01T00:00:00', { timestamp: [expect.stringContaining('wrong format')] }],
  ])('such as the %s %s is refused and not billed', async (field, value, expected) => {
    const sandbox = await start()
    const answer = await answerOf(post(sandbox, { fields: { [field]: value } }))
    expect(answer.status).toBe(400)
    expect(answer.json()).toEqual(expected)
    expect(sandbox.billedCount()).toBe(0)
  })

  test('such as an empty file is refused and not billed', async () => {
    const sandbox = await start()
    const answer = await answerOf(post(sandbox, { image: new Uint8Array() }))
    expect(answer.status).toBe(400)
    expect(answer.json()).toEqual({ upload: ['The submitted file is empty.'] })
  })

  test.each<[limit: string, SandboxOptions, status: number]>([
    ['under 3 MB', {}, 413],
    ['of its own', { uploadLimitBytes: 4_000_000 }, 201],
    ['unlimited in the SDK', { flavor: 'sdk' }, 200],
    ['of its own in the SDK', { flavor: 'sdk', uploadLimitBytes: 1000 }, 413],
  ])('over the limit, %s, is 413', async (_limit, options, status) => {
    const sandbox = await start(options)
    const answer = await answerOf(post(sandbox, { image: Buffer.alloc(3_000_000) }))
    expect(answer.status).toBe(status)
    if (status === 413) {
      const error = 'Invalid file. See https://app.platerecognizer.com/upload-limit/'
      expect(answer.json()).toEqual({ error })
    }
    expect(sandbox.billedCount()).toBe(status === 413 ? 0 : 1)
  })
})

describe('authentication', () => {
  test.each([
    ['a missing header', undefined, 'Authentication credentials were not provided.'],
    ['the wrong word', 'Bearer sandbox', 'Invalid token.'],
    ['no token', 'Token', 'Invalid token.'],
    ['another token', 'Token other', 'Invalid token.'],
  ])('refuses %s with 403', async (_what, authorization, detail) => {
    const sandbox = await start({ token: 'sandbox' })
    const answer = await answerOf(post(sandbox, { authorization }))
    expect(answer.status).toBe(403)
    expect(answer.json()).toEqual({ detail, status_code: 403 })
    expect(sandbox.lookups).toMatchObject([{ authorization, status: 403, billed: false }])
  })

  test('takes any key when none is set, and just the one that is', async () => {
    const sandbox = await start()
    const authorization = 'Token anything'
    expect((await answerOf(post(sandbox, { authorization }))).status).toBe(201)
    sandbox.configure({ token: 'sandbox' })
    expect((await answerOf(post(sandbox, { authorization }))).status).toBe(403)
    expect((await answerOf(post(sandbox))).status).toBe(201)
  })

  test('is not asked for by the SDK, which does not mind a header either', async () => {
    const sandbox = await start({ flavor: 'sdk', token: 'sandbox' })
    expect((await answerOf(post(sandbox, { authorization: undefined }))).status).toBe(200)
    expect((await answerOf(post(sandbox, { authorization: 'Token other' }))).status).toBe(200)
  })

  test('comes before credits, these before the throttle, this before the body', async () => {
    const sandbox = await start({ totalCalls: 1, lookupsPerSecond: 0.001 })
    const bad = (authorization = 'Token sandbox') =>
      answerOf(postBody(sandbox.url, 'car', { type: 'text/plain', authorization }))

    expect((await bad()).status).toBe(415)
    expect((await bad()).status).toBe(429)
    sandbox.configure({ usedCalls: 1 })
    expect((await bad()).json().detail).toBe('You have used all 1 lookups of your plan.')
    expect((await bad('Bearer')).json().detail).toBe('Invalid token.')
  })
})

describe('the allowance', () => {
  test.each(['cloud', 'sdk'] as const)('of the %s ends in 403', async (flavor) => {
    const sandbox = await start({ flavor, totalCalls: 5, usedCalls: 3 })
    const statuses: number[] = []
    for (const _ of [1, 2, 3]) statuses.push((await answerOf(post(sandbox))).status)
    const success = flavor === 'sdk' ? 200 : 201
    expect(statuses).toEqual([success, success, 403])
    expect(sandbox.billedCount()).toBe(2)
  })

  test('is told by the statistics, which cost nothing and work when it is used up', async () => {
    const sandbox = await start({ totalCalls: 3, usedCalls: 2 })
    await answerOf(post(sandbox))
    await answerOf(post(sandbox))
    const response = await fetch(statistics(sandbox), asUser)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      usage: {
        month: new Date().getUTCMonth() + 1,
        calls: 3,
        year: new Date().getUTCFullYear(),
        resets_on: expect.stringMatching(/^\d{4}-\d\d-01T00:00:00Z$/),
      },
      total_calls: 3,
    })
    expect(sandbox.statisticsRequests).toBe(1)
    expect(sandbox.billedCount()).toBe(1)
  })

  test('is told to the right key only', async () => {
    const sandbox = await start({ token: 'secret' })
    const response = await fetch(statistics(sandbox), asUser)
    expect(response.status).toBe(403)
    expect(await response.json()).toEqual({ detail: 'Invalid token.', status_code: 403 })
  })

  test('is told by the SDK in its information page', async () => {
    const sandbox = await start({ flavor: 'sdk', totalCalls: 50, usedCalls: 7 })
    const response = await fetch(new URL('/info/', sandbox.url))
    expect(await response.json()).toEqual({
      version: expect.any(String),
      license_key: expect.any(String),
      total_calls: 50,
      usage: { calls: 7 },
      webhooks: [],
    })
  })
})

describe('the throttle', () => {
  test.each<[rule: string, rate: number | undefined, times: number[], waits: number[]]>([
    ['admits all without a rate', undefined, [0, 0, 0], [0, 0, 0]],
    ['admits as many as the rate in a second', 2, [0, 1, 2], [0, 0, 998]],
    ['admits again a second after', 1, [0, 999, 1000], [0, 1, 0]],
    ['does not log what it refuses', 1, [0, 500, 999, 1000], [0, 500, 1, 0]],
    ['slides: the oldest of the second counts', 2, [0, 900, 999, 1000, 1001], [0, 0, 1, 0, 899]],
    ['keeps a longer window below 1 a second', 0.5, [0, 1500, 2000], [0, 500, 0]],
    ['keeps a fraction as a shorter window', 2.5, [0, 0, 799, 800], [0, 0, 1, 0]],
  ])('%s', (_rule, rate, times, waits) => {
    const throttle = slidingThrottle(rate)
    expect(times.map((time) => throttle(time))).toEqual(waits)
  })

  test('lets the next through a second after the last admitted, whatever came between', async () => {
    const sandbox = await start({ lookupsPerSecond: 1 })
    await answerOf(post(sandbox))
    await vi.waitFor(async () => expect((await answerOf(post(sandbox))).status).toBe(201), {
      timeout: 5000,
      interval: 20,
    })
    const [first, ...others] = sandbox.lookups
    const last = others.at(-1)
    expect(others.slice(0, -1).map(({ status }) => status)).toContain(429)
    // Judged when the body was read, a little after the arrival that `atMs` is.
    expect((last?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(950)
    expect((last?.atMs ?? 0) - (first?.atMs ?? 0)).toBeLessThan(2000)
    expect(sandbox.billedCount()).toBe(2)
  })

  const throttled = 'Request was throttled.'
  test.each([
    [undefined, 1, `${throttled} Expected available in 1 second.`, '1'],
    ['both', 0.25, `${throttled} Expected available in 4 seconds.`, '4'],
    ['header', 0.25, throttled, '4'],
    ['sentence', 0.25, `${throttled} Expected available in 4 seconds.`, null],
    ['none', 0.25, throttled, null],
  ] as const)('tells the wait by %s at a rate of %s', async (retryAfter, rate, detail, header) => {
    const sandbox = await start({ lookupsPerSecond: rate, retryAfter })
    await answerOf(post(sandbox))
    const answer = await answerOf(post(sandbox))
    expect(answer.status).toBe(429)
    expect(answer.json()).toEqual({ detail, status_code: 429 })
    expect(answer.headers.get('retry-after')).toBe(header)
    expect(sandbox.lookups).toMatchObject([{ billed: true }, { status: 429, billed: false }])
  })

  test('admits exactly the rate out of a crowd', async () => {
    const sandbox = await start({ lookupsPerSecond: 8 })
    const answers = await Promise.all(Array.from({ length: 40 }, () => answerOf(post(sandbox))))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(8)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(32)
  })
})

describe('latency', () => {
  test.each<[latencyMs: number | readonly [number, number], atLeastMs: number]>([
    [60, 60],
    [[40, 50], 40],
  ])('of %j ms is kept', async (latencyMs, atLeastMs) => {
    const sandbox = await start({ latencyMs })
    const startMs = performance.now()
    await answerOf(post(sandbox))
    // Node's timers may fire up to a millisecond early.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(atLeastMs - 1)
  })

  test('does not save the money of a client that gives up', async () => {
    const sandbox = await start({ latencyMs: 60_000 })
    const client = new AbortController()
    const response = post(sandbox, { signal: client.signal })
    await vi.waitFor(() => expect(sandbox.billedCount(CAR_SHA256)).toBe(1))
    client.abort()
    await expect(response).rejects.toThrow()
    expect(sandbox.lookups).toMatchObject([{ billed: true, status: undefined }])
  })
})

describe('a fault', () => {
  test.each<[fault: SandboxFault, billed: boolean]>([
    ['reset-before-answer', false],
    ['reset-in-answer', true],
    ['reset-after-billing', true],
  ])('%s breaks the connection; billed: %s', async (fault, billed) => {
    const sandbox = await start({ fault: () => fault })
    await expect(answerOf(post(sandbox))).rejects.toThrow()
    expect(sandbox.lookups).toMatchObject([{ sha256: CAR_SHA256, billed, status: undefined }])
    expect(sandbox.billedCount(CAR_SHA256)).toBe(billed ? 1 : 0)
  })

  test('reset-in-answer shows the client a success and half its body first', async () => {
    const sandbox = await start({ fault: () => 'reset-in-answer' })
    const { status, body } = await post(sandbox)
    expect(status).toBe(201)
    const reader = body?.getReader()
    const first = await reader?.read()
    expect(Buffer.from(first?.value ?? []).toString()).toMatch(/^\{"processing_time":/)
    await expect(reader?.read()).rejects.toThrow()
  })

  test('hang bills, and ends when the client goes away', async () => {
    const sandbox = await start({ fault: () => 'hang' })
    const client = new AbortController()
    const response = post(sandbox, { signal: client.signal })
    await vi.waitFor(() => expect(sandbox.billedCount()).toBe(1))
    client.abort()
    await expect(response).rejects.toThrow()
    expect(sandbox.lookups).toMatchObject([{ billed: true, status: undefined }])
  })

  test('truncated-json is a complete answer of half the JSON, billed', async () => {
    const sandbox = await start({ fault: () => 'truncated-json' })
    const { status, text } = await answerOf(post(sandbox))
    expect(status).toBe(201)
    expect(text).toMatch(/^\{"processing_time":/)
    expect(() => JSON.parse(text)).toThrow()
    expect(sandbox.billedCount()).toBe(1)
  })

  test.each<[fault: SandboxFault, status: number, type: string, text: string, billed: boolean]>([
    ['html-200', 200, 'text/html', '<!DOCTYPE html>', true],
    [{ answer: [] }, 201, 'application/json', '[]', true],
    [{ answer: { results: null } }, 201, 'application/json', '{"results":null}', true],
    [{ rawAnswer: 'NaN' }, 201, 'application/json', 'NaN', true],
    [{ status: 500 }, 500, 'application/json', '{"detail":"Response 500"}', false],
    [
      { status: 504, body: '<doc type="html">', contentType: 'text/html' },
      504,
      'text/html',
      '<doc type="html">',
      false,
    ],
  ])('%j is answered as such', async (fault, status, type, text, billed) => {
    const sandbox = await start({ fault: () => fault })
    const answer = await answerOf(post(sandbox))
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe(type)
    expect(answer.text).toContain(text)
    expect(sandbox.lookups).toMatchObject([{ status, billed }])
  })

  test('with a status may set headers', async () => {
    const fault = { status: 429, headers: { 'Retry-After': 'Fri, 31 Dec 1999 23:59:59 GMT' } }
    const sandbox = await start({ fault: () => fault })
    const { headers } = await answerOf(post(sandbox))
    expect(headers.get('retry-after')).toBe('Fri, 31 Dec 1999 23:59:59 GMT')
  })

  test('is chosen by what the lookup is: here each image fails once', async () => {
    const sandbox = await start({
      fault: ({ attempt }) => (attempt === 1 ? { status: 503 } : undefined),
    })
    const statuses: number[] = []
    for (const image of [CAR, ROAD, CAR, ROAD]) {
      statuses.push((await answerOf(post(sandbox, { image }))).status)
    }
    expect(statuses).toEqual([503, 503, 201, 201])
    expect(sandbox.lookups.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 2])
  })

  test('is not asked for when the request is refused anyway', async () => {
    const fault = vi.fn(() => undefined)
    const sandbox = await start({ fault, token: 'sandbox', lookupsPerSecond: 0.001 })
    await answerOf(post(sandbox, { authorization: 'Token other' }))
    await answerOf(post(sandbox))
    await answerOf(post(sandbox))
    expect(fault).toHaveBeenCalledTimes(1)
  })

  test('callback that throws is told in a 500', async () => {
    const sandbox = await start({
      fault: () => {
        throw new Error('my test is wrong')
      },
    })
    const { status, text } = await answerOf(post(sandbox))
    expect(status).toBe(500)
    expect(text).toContain('my test is wrong')
  })

  test('before the body resets the connection and leaves no image in the record', async () => {
    const sandbox = await start({ resetBeforeBody: ({ index }) => index === 0 })
    await expect(answerOf(post(sandbox, { image: Buffer.alloc(2_000_000) }))).rejects.toThrow()
    expect((await answerOf(post(sandbox))).status).toBe(201)
    expect(sandbox.lookups).toMatchObject([
      { index: 0, sha256: '', bytes: 0, attempt: 0, billed: false, status: undefined },
      { index: 1, sha256: CAR_SHA256, attempt: 1, billed: true, status: 201 },
    ])
  })
})

describe('the record', () => {
  test('has what was sent, in order, and what it cost', async () => {
    const sandbox = await start()
    const fields = { regions: ['gb', 'fr'], mmc: 'true' }
    await answerOf(post(sandbox, { fields, filename: 'gate.jpg' }))
    await answerOf(post(sandbox, { image: ROAD, fields: { config: '{' } }))
    await answerOf(post(sandbox))

    expect(sandbox.lookups).toEqual([
      {
        index: 0,
        sha256: CAR_SHA256,
        bytes: CAR.length,
        fields: { regions: ['gb', 'fr'], mmc: ['true'] },
        authorization: 'Token sandbox',
        filename: 'gate.jpg',
        attempt: 1,
        atMs: expect.any(Number),
        status: 201,
        billed: true,
      },
      expect.objectContaining({ index: 1, bytes: ROAD.length, status: 400, billed: false }),
      expect.objectContaining({ index: 2, sha256: CAR_SHA256, attempt: 2, billed: true }),
    ])
    expect(sandbox.billed()).toEqual([sandbox.lookups[0], sandbox.lookups[2]])
    expect(sandbox.billedCount()).toBe(2)
    expect(sandbox.billedCount(CAR_SHA256)).toBe(2)
    expect(sandbox.billedCount(hash('sha256', ROAD))).toBe(0)
  })

  test('is forgotten by reset with usage and rate log, while the switches stay', async () => {
    const sandbox = await start({ flavor: 'sdk', lookupsPerSecond: 0.001, usedCalls: 3 })
    await answerOf(post(sandbox))
    expect((await answerOf(post(sandbox))).status).toBe(429)
    sandbox.reset()
    expect(sandbox.lookups).toEqual([])
    expect(sandbox.billedCount()).toBe(0)
    expect(sandbox.billedCount(CAR_SHA256)).toBe(0)
    const answer = await answerOf(post(sandbox))
    expect(answer.json().usage).toEqual({ calls: 4, max_calls: 2500 })
    expect(sandbox.lookups).toMatchObject([{ index: 0, attempt: 1 }])
    expect((await answerOf(post(sandbox))).status).toBe(429)
  })

  test('is not spoiled by a lookup that was under way during a reset', async () => {
    const sandbox = await start({ fault: () => 'hang' })
    const client = new AbortController()
    const response = post(sandbox, { signal: client.signal })
    await vi.waitFor(() => expect(sandbox.billedCount()).toBe(1))
    sandbox.reset()
    sandbox.configure({ fault: undefined })
    client.abort()
    await expect(response).rejects.toThrow()
    await answerOf(post(sandbox, { image: ROAD }))
    expect(sandbox.lookups).toMatchObject([{ index: 0, sha256: hash('sha256', ROAD), status: 201 }])
  })
})

describe('other requests', () => {
  test.each([
    ['GET', 'cloud', 405, '{"detail":"Method \\"GET\\" not allowed.","status_code":405}'],
    ['PUT', 'cloud', 405, '{"detail":"Method \\"PUT\\" not allowed.","status_code":405}'],
    ['GET', 'sdk', 405, '405: Method Not Allowed'],
  ] as const)('%s on the lookup address of the %s is %i', async (method, flavor, status, text) => {
    const sandbox = await start({ flavor })
    const answer = await answerOf(fetch(sandbox.url, { ...asUser, method }))
    expect(answer).toMatchObject({ status, text })
    expect(sandbox.lookups).toEqual([])
  })

  test.each([
    ['/v1/', 'cloud', 404, '{"detail":"Not found.","status_code":404}'],
    ['/info/', 'cloud', 404, '{"detail":"Not found.","status_code":404}'],
    ['/v1/alpr', 'sdk', 404, '404: Not Found'],
    ['/v1/statistics/', 'sdk', 404, '404: Not Found'],
    ['/', 'sdk', 200, 'OK'],
  ] as const)('for %s of the %s get %i', async (path, flavor, status, text) => {
    const sandbox = await start({ flavor })
    const answer = await answerOf(fetch(new URL(path, sandbox.url), asUser))
    expect(answer).toMatchObject({ status, text })
  })
})

describe('its life', () => {
  test('ends with open connections destroyed, and may be ended twice', async () => {
    const sandbox = await start({ fault: () => 'hang' })
    const response = post(sandbox)
    const refused = expect(response).rejects.toThrow()
    await vi.waitFor(() => expect(sandbox.billedCount()).toBe(1))
    await sandbox.close()
    await sandbox.close()
    await refused
    await expect(post(sandbox)).rejects.toThrow()
  })

  test('may be on a port of the user, which nobody else can have', async () => {
    const first = await start()
    const port = Number(new URL(first.url).port)
    await expect(start({ port })).rejects.toThrow('EADDRINUSE')
    await first.close()
    expect((await start({ port })).url).toBe(first.url)
  })

  test('as a program prints the command to try, and ends cleanly', async () => {
    const serve = new URL('../../src/sandbox/serve.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [serve, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    open.push({ [Symbol.asyncDispose]: async () => void child.kill('SIGKILL') })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    await vi.waitFor(() => expect(printed).toContain('Ctrl-C'), { timeout: 20_000 })
    const url = /http:\/\/127\.0\.0\.1:\d+\/v1\/plate-reader\//.exec(printed)?.[0] ?? ''
    expect(printed).toContain(
      `PLATE_API_KEY=sandbox SNAPSHOT_API_URL=${url} npx plate-snapshot --images images.txt.example`,
    )
    const { status } = await answerOf(postBody(url, multipart({ upload: 'aaaa' })))
    expect(status).toBe(201)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(printed).toContain('Lookups answered: 1')
  })
})

describe('the sample answers', () => {
  test('are read from the folder of the samples and keep keys it does not know', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandbox-'))
    const answers = { [CAR_SHA256]: { file: 'a', results: [{ ...PLATE, ...MMC, direction: 7 }] } }
    await writeFile(join(folder, 'answers.json'), JSON.stringify(answers))
    expect(await loadSampleAnswers(folder)).toEqual(answers)
    expect(await loadSampleAnswers(new URL(`file://${folder}`))).toEqual(answers)
    await rm(folder, { recursive: true })
  })

  test('that are malformed are refused by name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandbox-'))
    const text = JSON.stringify({ [CAR_SHA256]: { results: [{ ...PLATE, score: 90 }] } })
    await writeFile(join(folder, 'answers.json'), text)
    await expect(loadSampleAnswers(folder)).rejects.toThrow('score')
    await rm(folder, { recursive: true })
  })
})
