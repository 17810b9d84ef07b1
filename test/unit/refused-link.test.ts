import { expect, test } from 'vitest'
import { FetchError } from '../../src/errors.ts'
import { refusalOf, requireCurrentLink } from '../../src/refused-link.ts'

const MINUTE_MS = 60_000
const SOURCE = 'https://b.s3.amazonaws.com/a.jpg'

/** A link that ends so long from now; it ended, if that is negative. */
function linkFor(ms: number): string {
  const end = Math.round((Date.now() + ms) / 1_000)
  return `${SOURCE}?AWSAccessKeyId=AKIA&Expires=${end}&Signature=verysecret`
}

function failureOf(link: string): unknown {
  try {
    return requireCurrentLink(link, SOURCE)
  } catch (thrown) {
    return thrown
  }
}

test('a link whose time is over is refused, and told without its signature', () => {
  const end = new Date(Math.floor(Date.now() / 1_000 - 3 * 3_600) * 1_000)
  const at = end.toISOString().replace('.000Z', 'Z')
  const error = failureOf(linkFor(end.getTime() - Date.now()))
  expect(error).toBeInstanceOf(FetchError)
  expect(error).toMatchObject({
    code: 'link_expired',
    isTransient: false,
    scope: 'image',
    message: `The link to ${SOURCE} expired 3.0 h ago, at ${at}; nothing was requested.`,
  })
})

test.each<[what: string, link: string]>([
  ['still good', linkFor(60 * MINUTE_MS)],
  ['over by less than clocks differ', linkFor(-4 * MINUTE_MS)],
  ['without an end', SOURCE],
  [
    'with an end that cannot be read',
    `${SOURCE}?AWSAccessKeyId=AKIA&Expires=yesterday&Signature=s`,
  ],
])('a link %s is left to its server', (_what, link) => {
  expect(failureOf(link)).toBe(undefined)
})

const xml = (code: string, message: string, more = '') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`
const azure = (detail: string) =>
  `\uFEFF${xml(
    'AuthenticationFailed',
    'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nRequestId:2c25\nTime:2026-07-10T10:16:22.8096444Z',
    `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail>`,
  )}`
const frame = (start: string, expiry: string, current: string, key = '') =>
  azure(
    `Signature not valid in the specified ${key}time frame: ${key && 'Key '}Start [${start}] - ${key && 'Key '}Expiry [${expiry}] - Current [${current}]`,
  )
const [NINE, TEN, ELEVEN] = [9, 10, 11].map((day) =>
  new Date(Date.UTC(2026, 6, day)).toUTCString(),
) as [string, string, string]

test.each<[who: string, status: number, said: string, code: string]>([
  [
    'S3',
    403,
    xml('AccessDenied', 'Request has expired', '<X-Amz-Expires>300</X-Amz-Expires>'),
    'link_expired',
  ],
  ['Alibaba', 403, xml('AccessDenied', 'Request has expired.'), 'link_expired'],
  [
    'S3 of temporary credentials',
    400,
    xml('ExpiredToken', 'The provided token has expired.'),
    'link_expired',
  ],
  [
    'Google',
    400,
    `<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code><Message>Invalid argument.</Message><Details>Request signature expired at: 2026-07-09T18:11:03+00:00</Details></Error>`,
    'link_expired',
  ],
  ['R2', 403, xml('ExpiredRequest', 'Request has expired'), 'link_expired'],
  ['R2 of before', 400, xml('ExpiredRequest', 'Request has expired'), 'link_expired'],
  ['Azure', 403, frame(NINE, TEN, ELEVEN), 'link_expired'],
  ['Azure of a user', 403, frame(NINE, TEN, ELEVEN, 'key '), 'link_expired'],
  [
    'Azure without a start',
    403,
    azure(`Signed expiry time [${TEN}] must be after signed start time [${ELEVEN}]`),
    'link_expired',
  ],
  [
    'Azure of before',
    403,
    azure(`Signed expiry time [${TEN}] has to be after signed start time [${ELEVEN}]`),
    'link_expired',
  ],
  ['S3 of another key', 403, xml('AccessDenied', 'Access Denied'), 'http_forbidden'],
  [
    'S3 of another signature',
    403,
    xml('SignatureDoesNotMatch', 'The request signature …'),
    'http_forbidden',
  ],
  ['CloudFront', 403, xml('AccessDenied', 'Access denied'), 'http_forbidden'],
  ['Azure of another signature', 403, azure('Signature did not match.'), 'http_forbidden'],
  ['a page of a camera', 403, '<html>Request has expired</html>', 'http_forbidden'],
  ['nothing', 401, '', 'http_forbidden'],
  ['Google of a wrong parameter', 400, xml('InvalidArgument', 'Invalid argument.'), 'http_error'],
  ['another status', 500, xml('ExpiredToken', 'The provided token has expired.'), 'http_error'],
  ['what is not there', 404, xml('NoSuchKey', 'Request has expired'), 'http_not_found'],
])('an answer of %s, with status %i, is told for what it is', (_who, status, said, code) => {
  const error = refusalOf(status, SOURCE, SOURCE, said)
  expect(error).toMatchObject({ code, isTransient: status >= 500 })
  expect(error.message).toContain(`${SOURCE} answered with status ${status}`)
})

test.each<[who: string, said: string]>([
  ['S3', xml('AccessDenied', 'Request is not yet valid')],
  ['MinIO', xml('AccessDenied', 'Request is not valid yet')],
  ['S3 of a clock', xml('RequestTimeTooSkewed', 'The difference … is too large.')],
  ['Azure', frame(TEN, ELEVEN, NINE)],
])('of a link that is not valid yet, %s is understood: a clock is wrong', (_who, said) => {
  const error = refusalOf(403, SOURCE, SOURCE, said)
  expect(error.code).toBe('http_forbidden')
  expect(error.hint).toContain('clock')
})

test('a link over by less than clocks differ, and refused without a reason, has expired', () => {
  const said = xml('AccessDenied', 'Access denied')
  expect(refusalOf(403, linkFor(-MINUTE_MS), SOURCE, said).code).toBe('link_expired')
  expect(refusalOf(403, linkFor(MINUTE_MS), SOURCE, said).code).toBe('http_forbidden')
  expect(refusalOf(404, linkFor(-MINUTE_MS), SOURCE, said).code).toBe('http_not_found')
})
