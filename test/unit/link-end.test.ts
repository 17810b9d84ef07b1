import { expect, test } from 'vitest'
import { endOfLink } from '../../src/link-end.ts'

const AT = 'https://plates.s3.amazonaws.com/vehicle-snapshots/ab/a.jpg?'

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
  ['a signature of CloudFront', `${AT}Expires=1769848200&Signature=b&Key-Pair-Id=c`, undefined],
  ['no signature', AT, undefined],
  ['an object', 's3://plates/a.jpg', undefined],
  ['a path', 'lane 1/a.jpg', undefined],
])('the end of a link with %s is known, or that it has none', (_what, link, end) => {
  expect(endOfLink(link)?.toISOString()).toBe(end)
})
