import { expect, test } from 'vitest'
import { LookupError, LookupFailure } from '../../src/errors.ts'
import type { ImageRef } from '../../src/image-list.ts'
import { createStopper, type IngestAllOptions, ingestAll } from '../../src/ingest-all.ts'
import { imageRefs } from '../../src/lists/text-list.ts'
import type { Outcome } from '../../src/outcome.ts'

const DOWN = new LookupError('api_error', 'the API answered 503', { isForWantOfApi: true })
/** What a copy of a failed image gets: the same failure, with nothing sent for it. */
const COPY = new LookupFailure(DOWN, { attempts: 0, uncertain: 0 })
const FAILED = new LookupFailure(DOWN, { attempts: 6, uncertain: 0 })
const SICK = new LookupFailure(new LookupError('api_rejected', 'the API answered 400'), {
  attempts: 1,
  uncertain: 0,
})
/** An image that `--lost-answer fail` leaves alone. */
const ALONE = new LookupError('answer_lost', 'perhaps billed before')

/** Runs a list in which each image fails with the next of `errors`. */
async function runOver(
  errors: readonly LookupError[],
  stopAfter: number,
  signal = new AbortController().signal,
) {
  const outcomes: Outcome[] = []
  const left = [...errors]
  const options: IngestAllOptions<ImageRef> = {
    inFlight: 1,
    stopAfter,
    ingestOne: () => Promise.reject(left.shift()),
    onOutcome: (outcome) => outcomes.push(outcome),
  }
  const list = () => imageRefs(errors.map((_, index) => `${index}.jpg`))
  const reason = await ingestAll(list, options, createStopper(0), signal)
  return { reason, outcomes }
}

test.each<[what: string, errors: LookupError[], images: number, code: string | undefined]>([
  [
    'consecutive images failed for want of the API',
    [FAILED, FAILED, FAILED, FAILED],
    3,
    'api_down',
  ],
  [
    'a sick image between them, which had an answer',
    [FAILED, FAILED, SICK, FAILED, FAILED],
    5,
    undefined,
  ],
  ['copies that share a failure', [FAILED, COPY, COPY, COPY, FAILED], 5, undefined],
  ['images left alone between them', [FAILED, ALONE, FAILED, ALONE, FAILED, FAILED], 5, 'api_down'],
  ['copies between other failures', [FAILED, COPY, FAILED, COPY, FAILED, FAILED], 5, 'api_down'],
])('after 3 %s', async (_what, errors, images, code) => {
  const { reason, outcomes } = await runOver(errors, 3)
  expect(outcomes).toHaveLength(images)
  expect(reason instanceof LookupError ? reason.code : reason).toBe(code)
})

test('a list that breaks off stops the run', async () => {
  const broken = new Error('read error')
  async function* list() {
    yield* imageRefs(['a.jpg'])
    throw broken
  }
  const options = { inFlight: 4, stopAfter: 10, onOutcome: () => {} }
  const ingestOne = () => Promise.reject(SICK)
  const { signal } = new AbortController()
  expect(await ingestAll(list, { ...options, ingestOne }, createStopper(0), signal)).toBe(broken)
})

test('an image whose answer was lost just as the budget ended fails, and the run stops for the budget', async () => {
  const lost = new LookupError('answer_lost', 'lost', { isUncertain: true })
  const stops = new LookupError('max_lookups', 'used up')
  const { reason, outcomes } = await runOver(
    [new LookupFailure(lost, { attempts: 1, uncertain: 1, stops })],
    3,
  )
  expect([reason, outcomes.length]).toEqual([stops, 1])
})

test('what stopped the run fails no image that only waited', async () => {
  const down = new LookupError('database_down', 'gone')
  const answered = new LookupFailure(down, { attempts: 1, uncertain: 0, isAnswered: true })
  const outcomes: Outcome[] = []
  const stopper = createStopper(0)
  const others = Promise.withResolvers<never>()
  stopper.stop.addEventListener('abort', () => others.reject(stopper.stop.reason))
  const allBegun = Promise.withResolvers<void>()
  let begun = 0
  const ingestOne = async () => {
    begun += 1
    if (begun === 3) allBegun.resolve()
    if (begun > 1) return others.promise
    await allBegun.promise
    throw answered
  }
  const list = () => imageRefs(['a.jpg', 'b.jpg', 'c.jpg'])
  const reason = await ingestAll(
    list,
    {
      ...{ inFlight: 3, stopAfter: 10 },
      ingestOne,
      onOutcome: (outcome) => outcomes.push(outcome),
    },
    stopper,
    new AbortController().signal,
  )
  expect([reason, outcomes.map(({ ref }) => ref.text)]).toEqual([answered, ['a.jpg']])
})
