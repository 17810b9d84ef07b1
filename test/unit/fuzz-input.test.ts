import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Environment, readSettings, SETTINGS } from '../../src/config.ts'
import { readImageList } from '../../src/lists/text-list.ts'
import { throttleMs } from '../../src/retry-after.ts'
import { redactSource } from '../../src/source.ts'
import { anyText, fuzzing } from '../support/fuzzing.ts'

const cases = fuzzing()

/** A file's bytes in chunks that are cut anywhere, also within a letter. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [0, ...places].map((from, n) => bytes.subarray(from, places[n] ?? bytes.length))
}

const line = fc.oneof(
  anyText(),
  anyText().map((text) => ` \t${text} `),
  anyText().map((text) => `#${text}`),
  fc.constant(''),
  fc.nat(70_000).map((length) => `${'a'.repeat(length)}.jpg`),
)

test('an images file gives each of its lines as it is written, with its number', async () => {
  const file = fc.record({
    mark: fc.constantFrom('', '\uFEFF'),
    // A line has no end of a line in it, and UTF-8 no half of a character.
    lines: fc.array(line.map((text) => text.replace(/[\r\n]/g, '').toWellFormed())),
    ends: fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 1 }),
    isEnded: fc.boolean(),
    cuts: fc.array(fc.nat(), { maxLength: 20 }),
  })
  await fc.assert(
    fc.asyncProperty(file, async ({ mark, lines, ends, isEnded, cuts }) => {
      // A blank line after CR would make CRLF of the two ends.
      const endOf = (n: number) => (ends.includes('\r') ? '\r' : (ends[n % ends.length] ?? ''))
      const text = lines
        .map((words, n) => (n < lines.length - 1 || isEnded ? words + endOf(n) : words))
        .join('')
      const bytes = Buffer.from(mark + text)
      const wanted = lines.flatMap((words, n) => {
        const trimmed = (n === 0 && mark === '' ? words.replace(/^\uFEFF/, '') : words).trim()
        return trimmed === '' || trimmed.startsWith('#') ? [] : [[n + 1, trimmed]]
      })
      const refs = await Array.fromAsync(readImageList(Readable.from(chunksOf(bytes, cuts))))
      expect(refs.map(({ line, text }) => [line, text])).toEqual(wanted)
    }),
    cases,
  )
})

test('bytes that are no text end as a list too, and spoil no line but their own', async () => {
  const file = fc.tuple(fc.uint8Array(), fc.array(fc.nat(), { maxLength: 9 }))
  await fc.assert(
    fc.asyncProperty(file, async ([junk, cuts]) => {
      const around = Buffer.concat([Buffer.from('before.jpg\n'), junk, Buffer.from('\nafter.jpg')])
      const refs = await Array.fromAsync(readImageList(Readable.from(chunksOf(around, cuts))))
      expect([refs.at(0)?.text, refs.at(-1)?.text]).toEqual(['before.jpg', 'after.jpg'])
    }),
    cases,
  )
})

const MARK = 'Zk9marked'
/** Each setting as it may hold a secret, rightly or by mistake. */
const SECRETS = [
  MARK,
  `${MARK} `,
  `a ${MARK}`,
  `https://u:${MARK}@host`,
  `http://${MARK}@h:99999`,
  `https://host/?token=${MARK}`,
  `postgresql://u:${MARK}@host/d`,
  `postgresql://u:${MARK}/x@host`,
  `postgres://u:p@host/d?password=${MARK}&sslrootcert=/nowhere`,
  `pglite:${MARK}`,
]
const plain = fc.constantFrom('s3', 'db', 'presigned', '60', 'pglite:', 'http://localhost:8080', '')

test('settings are read, or every problem is told, without the value of any', () => {
  const value = fc.oneof(anyText(), plain, fc.constantFrom(...SECRETS), fc.constant(undefined))
  const names = [...Object.keys(SETTINGS), 'PLATE_SNAPSHOT_DIE_AT']
  const env = fc.record(Object.fromEntries(names.map((name) => [name, value])))
  const needs = fc.record({ api: fc.boolean(), storage: fc.boolean() })
  fc.assert(
    fc.property(env, needs, (variables: Environment, wanted) => {
      const read = readSettings(variables, wanted)
      if ('settings' in read) return
      expect(read.problems).not.toHaveLength(0)
      expect(JSON.stringify(read.problems)).not.toContain(MARK)
      for (const { name, message } of read.problems) {
        expect(Object.keys(SETTINGS)).toContain(name)
        expect(message).toMatch(/^(must|is not|holds|names) /)
      }
    }),
    cases,
  )
})

test('a 429 asks for a wait that can be waited, never for a shorter one than its header says', () => {
  const header = fc.oneof(
    anyText(),
    fc.bigInt({ min: 0n }).map(String),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.constant(undefined),
  )
  const body = fc.oneof(
    anyText(),
    fc.bigInt().map((n) => `Request was throttled. Expected available in ${n} seconds.`),
    fc.nat({ max: 50 }).map((n) => `available in ${'9'.repeat(20 * n)} second`),
  )
  fc.assert(
    fc.property(header, body, fc.nat(), (retryAfter, text, now) => {
      const ms = throttleMs(retryAfter, text, now)
      const asked = /^\d+$/.test(retryAfter ?? '') ? Number(retryAfter) * 1_000 : 0
      expect(ms).toBeGreaterThanOrEqual(Math.min(asked, 2 ** 31 - 1))
      expect(ms).toBeLessThan(2 ** 31)
    }),
    cases,
  )
})

const word = fc.stringMatching(/^[a-z0-9._~!$'()*,;-]{0,12}$/)
const parameter = fc.constantFrom(
  ...['sig', 'Signature', 'X-Amz-Signature', 'x-goog-credential', 'token', 'access_token', 'hmac'],
  ...['api_key', 'apikey', 'password', 'pwd', 'x-oss-signature', 'q-ak', 'AWSAccessKeyId', 'jwt'],
)
const link = fc.record({
  before: fc.constantFrom('', '', '', '"', 'curl ', 'url: ', 'data: ', 'image=', 'JPG '),
  scheme: fc.constantFrom('http', 'HTTPS', 'ftp', 'rtsp', 's3'),
  slashes: fc.constantFrom('://', '://', '://', ':\\/\\/', ':\\\\'),
  user: word,
  password: fc.tuple(word, fc.constantFrom('', '%40', ':', '%2F'), word),
  host: fc.constantFrom('cam', 'cam:8080', 'cam:99999', '[::1]', 'ca m', 'straße.example', '%'),
  path: anyText().map((text) => text.replace(/[@?#\s\\/]/gu, '')),
  parameters: fc.array(fc.tuple(word, word)),
  secret: parameter,
  end: fc.constantFrom('', '"', ' -o a.jpg', '#top', `#access_token=${MARK}`),
})

test('what is said of a line has no password, no signature and no token of a URL in it', () => {
  fc.assert(
    fc.property(link, ({ before, scheme, slashes, user, password, host, path, ...rest }) => {
      const [first, sign, last] = password
      const credentials = `${user}:${first}${MARK}${sign}${last}@`
      const query = [...rest.parameters.map((pair) => pair.join('=')), `${rest.secret}=${MARK}`]
      const text = `${before}${scheme}${slashes}${credentials}${host}/${path}?${query.join('&')}${rest.end}`
      const isHttp = /^http/i.test(scheme)
      const source = redactSource(isHttp ? text : text.replace(/\?.*$/s, ''))
      expect(source).not.toContain(MARK)
    }),
    cases,
  )
})

test('any line can be spoken of, also a hostile one of a megabyte', () => {
  const long = fc
    .tuple(
      fc.constantFrom('', 'http://ca m/', 'http://a/?', 'x://'),
      fc.oneof(anyText(), parameter),
    )
    .map(([start, part]) => start + part.repeat(Math.ceil(1_000_000 / (part.length + 1))))
  fc.assert(
    fc.property(anyText(), (text) => {
      expect(typeof redactSource(text)).toBe('string')
    }),
    cases,
  )
  fc.assert(
    fc.property(long, (text) => {
      expect(redactSource(text).length).toBeLessThanOrEqual(3 * text.length)
    }),
    { ...cases, numRuns: 20 },
  )
})
