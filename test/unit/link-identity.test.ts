import { expect, test } from 'vitest'
import { redactSource } from '../../src/source.ts'

const S3 = 'https://b.s3.eu-west-1.amazonaws.com/in/a%20%281%29.jpg'
const R2 = 'https://acc.r2.cloudflarestorage.com/b/a.jpg'
const GCS = 'https://storage.googleapis.com/b/a.jpg'
const AZURE = 'https://acc.blob.core.windows.net/c/a.jpg'
const CLOUDFRONT = 'https://d1.cloudfront.net/a.jpg'
const ALIBABA = 'https://b.oss-cn-hangzhou.aliyuncs.com/a.jpg'

const sigV4 = (n: number, service = 'Amz') =>
  `X-${service}-Algorithm=AWS4-HMAC-SHA256&X-${service}-Credential=AKIA${n}%2F2026013${n}%2Fauto%2Fs3%2Faws4_request&X-${service}-Date=2026013${n}T083000Z&X-${service}-Expires=${n}00&X-${service}-SignedHeaders=host&X-${service}-Signature=abc${n}`
const sas = (n: number) =>
  `sv=2026-02-0${n}&st=2026-01-0${n}&se=2026-01-1${n}&spr=https&sig=s${n}%3D`

/** Two links to one object, as different programs or the same one at different times sign it. */
test.each<[what: string, first: string, second: string, source: string]>([
  ['S3, version 4', `${S3}?${sigV4(1)}`, `${S3}?${sigV4(2)}`, S3],
  [
    'S3, version 4 with temporary credentials',
    `${S3}?${sigV4(1)}&X-Amz-Security-Token=t1`,
    `${S3}?X-Amz-Security-Token=t2&${sigV4(2)}`,
    S3,
  ],
  [
    'S3, by the AWS SDK for JavaScript and by another program',
    `${S3}?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&${sigV4(1)}&x-amz-checksum-mode=ENABLED&x-id=GetObject`,
    `${S3}?${sigV4(2)}`,
    S3,
  ],
  [
    'S3, version 4 and version 2',
    `${S3}?${sigV4(1)}`,
    `${S3}?AWSAccessKeyId=AKIA2&Signature=s%3D&Expires=1769848200`,
    S3,
  ],
  ['S3, large and small letters', `${S3}?${sigV4(1)}`, `${S3}?${sigV4(2).toLowerCase()}`, S3],
  [
    'S3, the host in capitals',
    `${S3}?${sigV4(1)}`,
    `${S3.replace('b.s3', 'B.S3')}?${sigV4(2)}`,
    S3,
  ],
  [
    'S3, percent-encoded more and less',
    `${S3}?${sigV4(1)}`,
    `${S3.replace('%281%29', '(1)')}?${sigV4(2)}`,
    S3,
  ],
  [
    'S3, percent-encoded in small letters',
    `https://b.s3.amazonaws.com/%c3%a9%7e.jpg?${sigV4(1)}`,
    `https://b.s3.amazonaws.com/é~.jpg?${sigV4(2)}`,
    'https://b.s3.amazonaws.com/%C3%A9~.jpg',
  ],
  [
    'S3, one version of an object, before, between and after',
    `${S3}?versionId=v7&${sigV4(1)}`,
    `${S3}?${sigV4(2).replace('&', '&versionId=v7&')}`,
    `${S3}?versionId=v7`,
  ],
  [
    'S3, with headers to be answered',
    `${S3}?response-content-type=image%2Fjpeg&${sigV4(1)}&response-content-disposition=inline`,
    `${S3}?${sigV4(2)}&response-cache-control=no-cache`,
    S3,
  ],
  [
    'S3, parameters in another order',
    `${S3}?b=1&a=2&${sigV4(1)}`,
    `${S3}?a=2&${sigV4(2)}&b=1`,
    `${S3}?a=2&b=1`,
  ],
  ['R2', `${R2}?${sigV4(1)}`, `${R2}?${sigV4(2)}&x-id=GetObject`, R2],
  ['Google, version 4', `${GCS}?${sigV4(1, 'Goog')}`, `${GCS}?${sigV4(2, 'Goog')}`, GCS],
  [
    'Google, version 2 and version 4',
    `${GCS}?GoogleAccessId=a%40b&Expires=1&Signature=s&generation=5`,
    `${GCS}?generation=5&${sigV4(2, 'Goog')}`,
    `${GCS}?generation=5`,
  ],
  ['Azure, a service', `${AZURE}?sr=b&sp=r&${sas(1)}`, `${AZURE}?${sas(2)}&sp=rl&sr=c`, AZURE],
  [
    'Azure, a stored policy',
    `${AZURE}?sr=b&si=readers&sv=2026-02-06&sig=s1`,
    `${AZURE}?sr=b&si=others&sv=2026-02-06&sig=s2`,
    AZURE,
  ],
  [
    'Azure, an account',
    `${AZURE}?ss=b&srt=o&sp=r&${sas(1)}`,
    `${AZURE}?ss=bf&srt=co&sp=rw&sip=10.0.0.1&${sas(2)}`,
    AZURE,
  ],
  [
    'Azure, a user',
    `${AZURE}?skoid=o1&sktid=t1&skt=2026-01-01&ske=2026-01-02&sks=b&skv=2026-02-06&sr=b&sp=r&saoid=u1&scid=c1&${sas(1)}`,
    `${AZURE}?skoid=o2&sktid=t1&skt=2026-02-01&ske=2026-02-02&sks=b&skv=2026-02-06&sr=b&sp=r&suoid=u2&sdd=2&ses=e&${sas(2)}`,
    AZURE,
  ],
  [
    'Azure, a snapshot with headers to be answered',
    `${AZURE}?snapshot=2026-01-01T00:00:00Z&rsct=image%2Fjpeg&rscd=inline&${sas(1)}`,
    `${AZURE}?${sas(2)}&snapshot=2026-01-01T00:00:00Z`,
    `${AZURE}?snapshot=2026-01-01T00%3A00%3A00Z`,
  ],
  [
    'CloudFront',
    `${CLOUDFRONT}?Expires=1&Signature=s1&Key-Pair-Id=K1`,
    `${CLOUDFRONT}?Policy=p&Signature=s2&Key-Pair-Id=K2&Hash-Algorithm=SHA256`,
    CLOUDFRONT,
  ],
  [
    'Alibaba, versions 1 and 4',
    `${ALIBABA}?OSSAccessKeyId=a&Expires=1&Signature=s&security-token=t`,
    `${ALIBABA}?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=c&x-oss-date=d&x-oss-expires=1&x-oss-signature=s`,
    ALIBABA,
  ],
  [
    'a CDN with a token',
    'https://cdn/a.jpg?token=t1&expires=1769848200',
    'https://cdn/a.jpg?expires=1769848201&token=t2',
    'https://cdn/a.jpg',
  ],
])('an object signed twice is one source: %s', (_what, first, second, source) => {
  expect(redactSource(first)).toBe(source)
  expect(redactSource(second)).toBe(source)
})

test.each<[what: string, first: string, second: string]>([
  ['two versions', `${S3}?versionId=1&${sigV4(1)}`, `${S3}?versionId=2&${sigV4(1)}`],
  ['capitals in the name', `${S3}?${sigV4(1)}`, `${S3.replace('a%20', 'A%20')}?${sigV4(1)}`],
  ['a slash that is encoded', `${GCS}/x/y?${sigV4(1)}`, `${GCS}/x%2Fy?${sigV4(1)}`],
  ['a plus that is encoded', `${GCS}/x+y?${sigV4(1)}`, `${GCS}/x%2By?${sigV4(1)}`],
  ['an encoded percent sign', `${GCS}/%252F?${sigV4(1)}`, `${GCS}/%2F?${sigV4(1)}`],
  [
    'what is made of it',
    `${ALIBABA}?x-oss-process=image/resize,w_100&x-oss-signature=s`,
    `${ALIBABA}?x-oss-signature=s`,
  ],
])('two objects stay two sources: %s', (_what, first, second) => {
  expect(redactSource(first)).not.toBe(redactSource(second))
})
