import { expect, test } from 'vitest'
import { redactSource, schemeOf } from '../../src/source.ts'

const S3 = 'https://b.s3.eu-west-1.amazonaws.com/in/a.jpg'
const GCS = 'https://storage.googleapis.com/b/a.jpg'
const AZURE = 'https://acc.blob.core.windows.net/c/a.jpg'
const CLOUDFRONT = 'https://d1.cloudfront.net/a.jpg'
const SIGV4 =
  'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F1&X-Amz-Date=1&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=s&X-Amz-Signature=s'
const GOOG4 =
  'X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=s&X-Goog-Date=1&X-Goog-Expires=1&X-Goog-SignedHeaders=host&X-Goog-Signature=s'

test.each<[what: string, line: string, shown: string]>([
  ['an S3 link (SigV4)', `${S3}?${SIGV4}`, S3],
  ['an S3 link (SigV2)', `${S3}?AWSAccessKeyId=AKIA&Expires=1&Signature=s%3D`, S3],
  ['a link whose parameters are written small', `${S3}?${SIGV4.toLowerCase()}`, S3],
  ['a versioned S3 link, but not the version', `${S3}?versionId=7&${SIGV4}`, `${S3}?versionId=7`],
  ['a GCS link (V4)', `${GCS}?${GOOG4}`, GCS],
  ['a GCS link (V2)', `${GCS}?GoogleAccessId=a%40b&Expires=1&Signature=s`, GCS],
  ['an Azure link', `${AZURE}?sv=2024-11-04&st=1&se=2&sr=b&sp=r&spr=https&sip=1&sig=s%3D`, AZURE],
  [
    'an Azure user delegation link',
    `${AZURE}?skoid=1&sktid=2&skt=3&ske=4&sks=b&skv=5&sig=s`,
    AZURE,
  ],
  ['a CloudFront link', `${CLOUDFRONT}?Expires=1&Signature=s&Key-Pair-Id=K1`, CLOUDFRONT],
  [
    'a CloudFront link with a policy',
    `${CLOUDFRONT}?Policy=p&Signature=s&Key-Pair-Id=K1`,
    CLOUDFRONT,
  ],
  ['an Alibaba link', `${GCS}?x-oss-signature=s&x-oss-credential=c&x-oss-date=1`, GCS],
  ['a Tencent link', `${GCS}?q-sign-algorithm=sha1&q-ak=a&q-signature=s`, GCS],
  ['a CDN token', 'https://cam/a.jpg?t=1&hdnts=exp~1&auth_token=s', 'https://cam/a.jpg?t=1'],
  ['a token behind the #', 'https://cam/a.jpg#access_token=s', 'https://cam/a.jpg'],
  ['a token', 'https://cam/a.jpg?t=1&token=s', 'https://cam/a.jpg?t=1'],
  ['an access token', 'https://cam/a.jpg?access_token=s', 'https://cam/a.jpg'],
  ['an API key', 'https://cam/a.jpg?apikey=s&api_key=s', 'https://cam/a.jpg'],
  ["a camera's password", 'http://cam/snap?ch=1&password=s&pwd=s', 'http://cam/snap?ch=1'],
  ['an address in quotes', '"https://u:p@cam/a.jpg?sig=s"', '"https://cam/a.jpg'],
  ['an address behind a word', 'curl https://u:p@cam/a.jpg', 'curl https://cam/a.jpg'],
  ['an address with a slash too few', 'https:/u:p@cam/a.jpg', 'https:/cam/a.jpg'],
  ['a key in quotes', '"https://cam/a.jpg?apikey=s"', '"https://cam/a.jpg'],
  ['a token behind the # in quotes', '"https://cam/a.jpg#token=s"', '"https://cam/a.jpg'],
  ['an address with backslashes', 'http:\\\\u:p@cam/a.jpg', 'http:\\\\cam/a.jpg'],
  ['an address out of JSON', 'https:\\/\\/u:p@cam/a.jpg', 'https:\\/\\/cam/a.jpg'],
  ['an address behind a name', 'url: https://u:p@cam/a.jpg', 'url: https://cam/a.jpg'],
  ['an address behind the name of a scheme', 'data: https://u:p@cam/', 'data: https://cam/…'],
  ['an address of another protocol in a text', 'curl ftp://u:p@h/a.jpg', 'curl ftp://h/a.jpg'],
  ['a link without its scheme', `b.s3.amazonaws.com/a.jpg?${SIGV4}`, 'b.s3.amazonaws.com/a.jpg'],
  [
    'the signature of a link within a link',
    `https://cdn/resize?w=9&url=${encodeURIComponent(`${S3}?${SIGV4}`)}`,
    `https://cdn/resize?w=9&url=${encodeURIComponent(S3)}`,
  ],
  [
    'the password of one',
    'https://cdn/?url=http://u:p@cam/a.jpg',
    'https://cdn/?url=http%3A%2F%2Fcam%2Fa.jpg',
  ],
  ['a name and password', 'http://user:secret@cam:8080/a.jpg', 'http://cam:8080/a.jpg'],
  ['a name alone', 'http://user@cam/a.jpg', 'http://cam/a.jpg'],
  ['credentials and a signature', 'https://u:p@cam/a.jpg?sig=s&b=1', 'https://cam/a.jpg?b=1'],
  ['a parameter that comes twice', 'https://cam/a.jpg?sig=1&b=1&sig=2', 'https://cam/a.jpg?b=1'],
  ['credentials for another protocol', 'ftp://u:p@host/a.jpg', 'ftp://host/a.jpg'],
  [
    'what follows in a data URL',
    `data:image/png;base64,${'A'.repeat(99)}`,
    `data:image/png;base64,${'A'.repeat(10)}…`,
  ],
])('hides %s', (_what, line, shown) => {
  expect(redactSource(line)).toBe(shown)
})

test.each<[what: string, line: string]>([
  ['a plain URL', 'https://example.com/a.jpg'],
  ['a link within a link', 'https://cdn/resize?url=https://cam/a.jpg'],
  ['a plain query', 'https://example.com/a.jpg?width=800&name=a%20b&x='],
  ['a fragment', 'https://example.com/a.jpg#top'],
  ['names that are a signature’s only beside one', 'https://cam/a.jpg?sr=1&se=2&expires=3'],
  ['a URL that is not in its normal form', 'HTTP://Example.com:80/a b.jpg'],
  ['a path', '/var/images/a.jpg'],
  ['a path with a colon', '2026-03-01T12:30.jpg'],
  ['a path that looks like a query', 'a.jpg?token=1'],
  ['a path with an @', 'user:secret@cam.jpg'],
  ['a Windows path', 'C:\\images\\a.jpg'],
  ['an empty line', ''],
])('leaves %s as it was written', (_what, line) => {
  expect(redactSource(line)).toBe(line)
})

test.each<[line: string, shown: string]>([
  ['http://user:secret@cam:99999/a.jpg?sig=s', 'http://cam:99999/a.jpg'],
  ['http://user:sec@ret@cam:99999/a.jpg', 'http://cam:99999/a.jpg'],
  ['http://user:sec/ret@cam/a.jpg', 'http://cam/a.jpg'],
  ['http://user:sec?ret@ca m/a.jpg', 'http://ca m/a.jpg'],
  ['http://ca m/a.jpg?mail=a@b&sig=s', 'http://ca m/a.jpg'],
  ['http://ca m/a.jpg#access_token=s', 'http://ca m/a.jpg'],
  ['http://', 'http://'],
])('hides secrets in %s too, which is no URL', (line, shown) => {
  expect(redactSource(line)).toBe(shown)
})

// Each took minutes, or hours, as long as the time grew with the square of the length.
test.each<[what: string, line: string]>([
  ['question marks', '?'.repeat(1_000_000)],
  ['slashes', `http://ca m/${'/'.repeat(1_000_000)}`],
  ['secrets', `http://cam/?${Array.from({ length: 30_000 }, (_, n) => `${n}_token=s`).join('&')}`],
])('a line of very many %s is spoken of at once', (_what, line) => {
  expect(redactSource(line)).not.toContain('token')
})

test.each<[line: string, scheme: string | undefined]>([
  ['http://example.com/a.jpg', 'http'],
  ['HTTPS://example.com/a.jpg', 'https'],
  ['s3://bucket/a.jpg', 's3'],
  ['file:a.jpg', 'file'],
  ['data:image/png;base64,AAAA', 'data'],
  ['12:30.jpg', undefined],
  ['cam:1.jpg', undefined],
  ['C:\\images\\a.jpg', undefined],
  ['C://images/a.jpg', undefined],
  ['images/a.jpg', undefined],
  ['./http://a.jpg', undefined],
])('the scheme of %s is %s', (line, scheme) => {
  expect(schemeOf(line)).toBe(scheme)
})
