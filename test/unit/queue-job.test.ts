import { expect, test } from 'vitest'
import type { CapturePolicy } from '../../src/capture-time.ts'
import { readJob, toJob } from '../../src/queue/job.ts'
import { wanting } from '../support/drawn-images.ts'

const REF = { line: 3, text: '/cams/a.jpg', source: '/cams/a.jpg' }

test.each<[what: string, capture: CapturePolicy]>([
  ['the flags of enqueue', { from: ['exif', 'filename'], timezone: 'UTC', filenameTime: 'X' }],
  ["a line's own time", { from: ['api'], at: '2026-01-31T07:30:00Z' }],
])('%s travel with a job', (_what, capture) => {
  const { data } = toJob(REF, wanting({ regions: ['fr'] }, { capture }))
  expect(readJob(JSON.parse(JSON.stringify(data)))).toEqual({
    ...REF,
    wanted: wanting({ regions: ['fr'] }, { capture }),
  })
})

test.each<[given: object, capture: CapturePolicy | undefined]>([
  [{}, { from: ['api'] }],
  [
    { captured_at: '2026-01-31T09:30:00.5+02:00' },
    { from: ['api'], at: '2026-01-31T07:30:00.500Z' },
  ],
  [{ captured_at: '2026-01-31T09:30:00' }, undefined],
  [{ captured_at_from: ['camera'] }, undefined],
  [{ timezone: 'Mars/Olympus' }, undefined],
])('a job of another program with %j', (given, capture) => {
  expect(readJob({ image: '/cams/a.jpg', ...given })?.wanted.capture).toEqual(capture)
})
