import { describe, expect, test } from 'vitest'
import type { SandboxFault } from '../../src/sandbox/fault.ts'
import { createWorkplace, names } from '../support/workplace.ts'

const ALWAYS = Number.POSITIVE_INFINITY
const html = { status: 502, contentType: 'text/html', body: '<html><b>Bad gateway</b></html>' }

interface Case {
  fault: SandboxFault
  /** How many requests go wrong before one goes well. */
  times: number
  flags?: string[]
  requests: number
  /** Absent: the lookup goes well in the end. */
  code?: string
  uncertain?: number
}

test.each<[rule: string, each: Case]>([
  ['a server fault is tried again', { fault: { status: 500 }, times: 1, requests: 2 }],
  ['so is a page of a gateway', { fault: html, times: 1, requests: 2 }],
  [
    '--retries 1 allows one further attempt',
    {
      fault: { status: 503 },
      times: ALWAYS,
      flags: ['--retries', '1'],
      requests: 2,
      code: 'api_error',
    },
  ],
  [
    '--retries 0 allows none',
    {
      fault: { status: 500 },
      times: ALWAYS,
      flags: ['--retries', '0'],
      requests: 1,
      code: 'api_error',
    },
  ],
  [
    'a refused image is not tried again',
    { fault: { status: 400 }, times: ALWAYS, requests: 1, code: 'api_rejected' },
  ],
  [
    'nor one that is too large for the API',
    { fault: { status: 413 }, times: ALWAYS, requests: 1, code: 'api_too_large' },
  ],
  [
    'nor one of a type that the API does not take',
    { fault: { status: 415 }, times: ALWAYS, requests: 1, code: 'api_unsupported' },
  ],
  [
    'after a lost answer the image is asked about once more',
    { fault: 'reset-after-billing', times: 1, requests: 2, uncertain: 1 },
  ],
  [
    'but only once more, however many retries are left',
    { fault: 'reset-in-answer', times: ALWAYS, requests: 2, code: 'answer_lost', uncertain: 2 },
  ],
  [
    '--lost-answer retry keeps to --retries',
    {
      fault: 'truncated-json',
      times: ALWAYS,
      flags: ['--lost-answer', 'retry', '--retries', '2'],
      requests: 3,
      code: 'answer_lost',
      uncertain: 3,
    },
  ],
  [
    '--lost-answer fail never asks again',
    {
      fault: 'html-200',
      times: ALWAYS,
      flags: ['--lost-answer', 'fail'],
      requests: 1,
      code: 'answer_lost',
      uncertain: 1,
    },
  ],
  [
    '--lookup-timeout ends a request that is not answered',
    {
      fault: 'hang',
      times: ALWAYS,
      flags: ['--lookup-timeout', '0.3', '--lost-answer', 'fail'],
      requests: 1,
      code: 'answer_lost',
      uncertain: 1,
    },
  ],
])('%s', async (_, { fault, times, flags, requests, code, uncertain = 0 }) => {
  await using place = await createWorkplace({
    sandbox: { fault: ({ attempt }) => (attempt <= times ? fault : undefined) },
  })
  const run = await place.ingest(await place.draw('car.jpg'), flags)
  expect(place.sandbox.lookups).toHaveLength(requests)
  expect(run.summary).toMatchObject({ lookups: 1, attempts: requests, uncertain })
  expect(run.images.map(({ error }) => error?.code)).toEqual([code])
  expect(run.exitCode).toBe(code === undefined ? 0 : 1)
  expect(run.stderr.includes('line 1: car.jpg')).toBe(code !== undefined)
})

describe('an image whose answer was lost', () => {
  test('is asked about again by the next run, which then finds it answered', async () => {
    await using place = await createWorkplace({ sandbox: { fault: () => 'html-200' } })
    const list = await place.draw('car.jpg')
    await place.ingest(list, ['--lost-answer', 'fail'])
    place.sandbox.configure({ fault: undefined })
    const { exitCode, summary } = await place.ingest(list)
    expect(exitCode).toBe(0)
    expect(summary).toMatchObject({ no_plate: 1, lookups: 1, uncertain: 0 })
  })

  test('is left alone by every later run with --lost-answer fail', async () => {
    await using place = await createWorkplace({ sandbox: { fault: () => 'html-200' } })
    const list = await place.draw('car.jpg')
    await place.ingest(list, ['--lost-answer', 'fail'])
    place.sandbox.configure({ fault: undefined })
    const { exitCode, images, summary } = await place.ingest(list, ['--lost-answer', 'fail'])
    expect(exitCode).toBe(1)
    expect(images.map(({ error }) => error?.code)).toEqual(['answer_lost'])
    expect(summary).toMatchObject({ failed: 1, lookups: 0, attempts: 0 })
    expect(place.sandbox.lookups).toHaveLength(1)
  })
})

describe('--stop-after', () => {
  const flags = ['--retries', '0', '--concurrency', '1', '--stop-after', '3']

  test('stops a run after so many images in a row without the API', async () => {
    await using place = await createWorkplace({ sandbox: { fault: () => ({ status: 502 }) } })
    const { exitCode, summary, stderr } = await place.ingest(await place.draw(...names(8)), flags)
    expect(exitCode).toBe(3)
    expect(summary).toMatchObject({ images: 3, failed: 3, stopped: 'api_down' })
    expect(stderr).toContain('3 images in a row failed because the API does not answer')
    expect(place.sandbox.lookups).toHaveLength(3)
  })

  test('counts anew after a success, and does not count images that the API refuses', async () => {
    const answers = [502, 502, undefined, 502, 502, 400, 502, 502]
    await using place = await createWorkplace({
      sandbox: {
        fault: ({ index }) => {
          const status = answers[index]
          return status === undefined ? undefined : { status }
        },
      },
    })
    const { exitCode, summary } = await place.ingest(await place.draw(...names(8)), flags)
    expect(exitCode).toBe(1)
    expect(summary).toMatchObject({ images: 8, failed: 7, no_plate: 1, stopped: null })
  })
})
