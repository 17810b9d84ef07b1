import fc from 'fast-check'
import { expect, test } from 'vitest'
import { normalize } from '../../src/normalize.ts'
import { parseResponse, readResponse, readStored } from '../../src/response.ts'
import { anyText, fuzzing } from '../support/fuzzing.ts'

const cases = fuzzing()

/** Anything that JSON can say, and hostile keys with it. */
const junk: fc.Arbitrary<unknown> = fc.oneof(
  { maxDepth: 3, depthSize: 'small' },
  fc.jsonValue({ maxDepth: 2 }),
  anyText(),
  fc.constantFrom(null, true, -1, 0, 1e308, 5e-324, 2 ** 53, [], {}, [null], [[[]]], '1e400'),
  fc.dictionary(fc.oneof(anyText(), fc.constantFrom('__proto__', 'toJSON', 'length')), anyText()),
)

/** A member as it should be, or anything at all, or missing. */
function mostly(right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 3, arbitrary: right }, { weight: 1, arbitrary: junk })
}
function list(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  return mostly(fc.array(mostly(fc.record(members, { requiredKeys: [] })), { maxLength: 4 }))
}
function object(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  return mostly(fc.record(members, { requiredKeys: [] }))
}

const score = mostly(fc.double({ noNaN: true, noDefaultInfinity: true }))
const text = mostly(anyText())
const box = object({ xmin: score, ymin: score, xmax: score, ymax: score })
const valued = list({ value: text, score })
const makeModel = list({ make: text, model: text, score })
const plateResult = object({
  ...{ plate: text, box, score, dscore: score, region: object({ code: text, score }) },
  ...{ candidates: list({ plate: text, score }), vehicle: object({ type: text, score, box }) },
  ...{ model_make: makeModel, color: list({ color: text, score }) },
  ...{ orientation: list({ orientation: text, score }), direction: score, '': junk },
})
const vehicleResult = object({
  plate: object({ score, box, props: object({ plate: valued, region: valued }) }),
  vehicle: object({
    ...{ type: text, score, box },
    props: object({ make_model: makeModel, orientation: valued, color: valued }),
  }),
  direction: score,
})
const results = fc.array(fc.oneof(plateResult, vehicleResult), { maxLength: 6 })
const answer = fc
  .record({
    results,
    envelope: object({ uuid: text, filename: text, camera_id: text, timestamp: text }),
  })
  .map(({ results, envelope }) => Object.assign({}, envelope, { results }))
/** As of 2019: the list alone. */
const anyAnswer = fc.oneof(answer, results)

/** Of what may be anything: a member of an object. */
function member(of: unknown, name: string): unknown {
  return of !== null && typeof of === 'object'
    ? Object.getOwnPropertyDescriptor(of, name)?.value
    : undefined
}

/** The text that a result holds for its plate, as PostgreSQL can keep it, found without the code that is tested. */
function plateOf(result: unknown): string | undefined {
  const plate = member(result, 'plate')
  const texts = member(member(plate, 'props'), 'plate')
  const held = Array.isArray(texts) ? texts.map((one) => member(one, 'value')) : []
  const text = [plate, ...held].find((value) => typeof value === 'string')
  return typeof text === 'string' ? text.replaceAll('\0', '\uFFFD').toWellFormed() : undefined
}

test('every plate that an answer of either shape holds comes out, in its place, whatever stands around it', () => {
  fc.assert(
    fc.property(anyAnswer, (sent) => {
      const body = JSON.stringify(sent)
      const list = Array.isArray(sent) ? sent : sent.results
      const wanted = list.flatMap((result, index) => {
        const plate = plateOf(result)
        return plate === undefined || plate === '' ? [] : [[index, plate]]
      })
      const response = parseResponse(Buffer.from(body))
      const { readings } = response === undefined ? { readings: [] } : normalize(response)
      const read = readings.filter(({ plate }) => plate !== undefined)
      expect(read.map(({ index, plate }) => [index, plate])).toEqual(wanted)
      expect(readings.map(({ index }) => index)).toEqual(
        readings.map(({ index }) => index).toSorted((a, b) => a - b),
      )
    }),
    cases,
  )
})

test('an answer says the same when it comes out of the ledger', () => {
  fc.assert(
    fc.property(anyAnswer, (sent) => {
      const response = readResponse(JSON.parse(JSON.stringify(sent)))
      const stored = readStored(
        JSON.parse(JSON.stringify(response?.raw)),
        response?.noted ?? { mended: [] },
      )
      const said = [response, stored].map((one) => one && JSON.stringify(normalize(one)))
      expect(said[0]).toBeDefined()
      expect(said[1]).toBe(said[0])
      const escapes = JSON.stringify(stored?.raw).replaceAll('\\\\', '')
      expect(escapes).not.toMatch(/\\u0000|\\ud[89a-f]/)
    }),
    cases,
  )
})

test('what is no answer is none, and no error', () => {
  const body = fc.oneof(
    anyText(),
    junk.map((value) => JSON.stringify(value)),
    fc.record({ results: junk, uuid: junk }).map((value) => JSON.stringify(value)),
    // Cut short, or with something in the midst of it.
    fc.tuple(anyAnswer, fc.nat(), anyText()).map(([sent, at, words]) => {
      const whole = JSON.stringify(sent)
      return `${whole.slice(0, at % whole.length)}${words}`
    }),
    fc.nat({ max: 200_000 }).map((depth) => `{"results":${'['.repeat(depth)}`),
    fc
      .nat({ max: 20_000 })
      .map((depth) => `{"results":[${'['.repeat(depth)}${']'.repeat(depth)}]}`),
  )
  fc.assert(
    fc.property(body, (words) => {
      const response = parseResponse(Buffer.from(words))
      if (response !== undefined) expect(Array.isArray(normalize(response).readings)).toBe(true)
    }),
    cases,
  )
})
