import { expect, test } from 'vitest'
import { endOfLink } from '../../src/link-end.ts'

const AT = 'https://plates.s3.amazonaws.com/vehicle-snapshots/ab/a.jpg?'

/** As CloudFront takes it. */
function policyUntil(time: number | string): string {
  const until = { DateLessThan: { 'AWS:EpochTime': time } }
  const policy = { Statement: [{ Resource: 'https://d1.cloudfront.net/*?', Condition: until }] }
  const base64 = Buffer.from(JSON.stringify(policy)).toString('base64')
  return base64.replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~')
}

test.each<[what: string, link: string, end: string | undefined]>([
  ['version 4', `${AT}X-Amz-Date=20260131T083000Z&X-Amz-Expires=60`, '2026-01-31T08:31:00.000Z'],
  [
    'version 4 in lower case, the other way round',
    `${AT}x-amz-expires=86400&x-amz-date=20260131T083000Z`,
    '2026-02-01T08:30:00.000Z',
  ],
  ['version 2', `${AT}AWSAccessKeyId=a&Expires=1769848200&Signature=b`, '2026-01-31T08:30:00.000Z'],
  ['version 4 without a life', `${AT}X-Amz-Date=20260131T083000Z`, undefined],
  ['version 4 with half a date', `${AT}X-Amz-Date=20260131&X-Amz-Expires=60`, undefined],
  [
    'version 4 with the 32nd of January',
    `${AT}X-Amz-Date=20260132T083000Z&X-Amz-Expires=60`,
    undefined,
  ],
  ['version 2 after the end of all time', `${AT}AWSAccessKeyId=a&Expires=1e300`, undefined],
  [
    'version 4 whose life is no number',
    `${AT}X-Amz-Date=20260131T083000Z&X-Amz-Expires=1h`,
    undefined,
  ],
  ['two lives', `${AT}X-Amz-Date=20260131T083000Z&X-Amz-Expires=60&X-Amz-Expires=90`, undefined],
  [
    'version 4 of Google',
    `${AT}X-Goog-Date=20260131T083000Z&X-Goog-Expires=60`,
    '2026-01-31T08:31:00.000Z',
  ],
  [
    'version 2 of Google',
    `${AT}GoogleAccessId=a%40b&Expires=1769848200&Signature=b`,
    '2026-01-31T08:30:00.000Z',
  ],
  [
    'version 4 of Alibaba',
    `${AT}x-oss-date=20260131T083000Z&x-oss-expires=60`,
    '2026-01-31T08:31:00.000Z',
  ],
  [
    'a signature of CloudFront',
    `${AT}Expires=1769848200&Signature=b&Key-Pair-Id=c`,
    '2026-01-31T08:30:00.000Z',
  ],
  [
    'a policy of CloudFront',
    `${AT}Policy=${policyUntil(1_769_848_200)}&Signature=b&Key-Pair-Id=c`,
    '2026-01-31T08:30:00.000Z',
  ],
  [
    'a policy of CloudFront that says no time',
    `${AT}Policy=${policyUntil('soon')}&Signature=b&Key-Pair-Id=c`,
    undefined,
  ],
  ['a policy that is none', `${AT}Policy=!&Signature=b&Key-Pair-Id=c`, undefined],
  [
    'a signature of Azure',
    `${AT}sv=2026-02-06&st=2026-01-30T08%3A30%3A00Z&se=2026-01-31T08%3A30%3A00Z&sr=b&sp=r&sig=b`,
    '2026-01-31T08:30:00.000Z',
  ],
  [
    'a signature of Azure without seconds',
    `${AT}se=2026-01-31T08:30Z&sig=b`,
    '2026-01-31T08:30:00.000Z',
  ],
  ['a signature of Azure until a day', `${AT}se=2026-01-31&sig=b`, '2026-01-31T00:00:00.000Z'],
  [
    'a signature of Azure with a key that ends before it',
    `${AT}se=2026-02-09T08:30:00Z&ske=2026-01-31T08:30:00Z&sig=b`,
    '2026-01-31T08:30:00.000Z',
  ],
  ['a signature of Azure of no zone', `${AT}se=2026-01-31T08:30:00&sig=b`, undefined],
  ['a stored policy of Azure', `${AT}si=readers&sig=b`, undefined],
  ['an end without a signature', `${AT}se=2026-01-31T08:30:00Z&Expires=1769848200`, undefined],
  ['a life beside a token of another kind', `${AT}token=b&expires=3600`, undefined],
  ['no signature', AT, undefined],
  ['an object', 's3://plates/a.jpg', undefined],
  ['a path', 'lane 1/a.jpg', undefined],
])('the end of a link with %s is known, or that it has none', (_what, link, end) => {
  expect(endOfLink(link)?.toISOString()).toBe(end)
})
