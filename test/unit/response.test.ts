import { expect, test } from 'vitest'
import { parseResponse, readResponse } from '../../src/response.ts'
import { randomOf } from '../support/chance.ts'
import { ANSWERS, answerOf, parsed, textOf } from './answers.ts'
import { junkIn } from './junk.ts'

test.each(ANSWERS)('keeps the real answer %s as it was sent', (answer) => {
  const body = textOf(answer)

  expect(parsed(body).raw).toEqual(JSON.parse(body))
})

test.each(ANSWERS)('reads every result of the real answer %s', (answer) => {
  const sent = JSON.parse(textOf(answer))

  expect(parsed(textOf(answer)).results).toHaveLength((sent.results ?? sent).length)
  expect(parsed(textOf(answer)).results).not.toContain(undefined)
})

test('reads an answer that begins with a byte order mark', () => {
  expect(parsed('\uFEFF{"results":[]}').results).toEqual([])
})

test('reads the same out of the ledger as off the wire', () => {
  const body = textOf('20-vehicle-mode-docs.json')

  expect(readResponse(JSON.parse(body))).toEqual(parseResponse(Buffer.from(body)))
})

test.each<[what: string, body: string]>([
  ['an empty body', ''],
  ['plain text', '404: Not Found'],
  ['a page', '<!doctype html><title>502 Bad Gateway</title>'],
  ['half an answer', '{"results":[{"plate":"nhk5'],
  ['null', 'null'],
  ['a number', '7'],
  ['a string', '"results"'],
  ['an empty object', '{}'],
  ['an error', '{"detail":"Invalid token.","status_code":403}'],
  ['a field error', '{"non_field_errors":["Upload or upload_url field cannot be empty."]}'],
  ['results that are null', '{"results":null}'],
  ['results that are an object', '{"results":{"plate":"nhk552"}}'],
  ['results that only the prototype has', '{"__proto__":{"results":[]}}'],
  ['the usage', '{"usage":{"month":1,"calls":128,"year":2019},"total_calls":2500}'],
])('finds no answer in %s', (_what, body) => {
  expect(parseResponse(Buffer.from(body))).toBeUndefined()
})

test('keeps keys it does not know', () => {
  const sent = { results: [{ plate: 'a', year_range: [2010, 2014] }], image_width: 1920 }

  expect(parsed(JSON.stringify(sent)).raw).toEqual(sent)
})

test('leaves junk among the results out, and the others in their places', () => {
  const { results } = answerOf([null, 'x', 7, [], { plate: 'nhk552' }, true])

  expect(results.map((result) => result?.plate)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    'nhk552',
    undefined,
  ])
})

test.each<[what: string, junk: unknown]>([
  ['a score that is text', { score: '0.9' }],
  ['a score that is null', { score: null }],
  ['a box without an edge', { box: { xmin: 1, ymin: 2, xmax: 3 } }],
  ['a box that is a list', { box: [1, 2, 3, 4] }],
  ['a region without a code', { region: { score: 0.5 } }],
  ['candidates that are no list', { candidates: 'nhk552' }],
  ['a vehicle that is null', { vehicle: null }],
  ['a vehicle that is text', { vehicle: 'Sedan' }],
  ['a direction that is text', { direction: 'north' }],
])('does not lose a plate for %s', (_what, junk) => {
  expect(answerOf([{ plate: 'nhk552', dscore: 0.7, ...(junk as object) }]).results).toEqual([
    expect.objectContaining({ plate: 'nhk552', dscore: 0.7 }),
  ])
})

test('leaves out of a list what does not fit', () => {
  const candidates = [{ plate: 'nhk552', score: 0.9 }, null, { score: 0.8 }, { plate: 'nhk5s2' }]

  expect(answerOf([{ plate: 'nhk552', candidates }]).results[0]).toMatchObject({
    candidates: [{ plate: 'nhk552', score: 0.9 }, { plate: 'nhk5s2' }],
  })
})

test('takes a number beyond all bounds for none', () => {
  const { results, raw } = parsed('{"results":[{"plate":"a","score":1e400}]}')

  expect(results[0]).toEqual(expect.objectContaining({ plate: 'a', score: undefined }))
  expect(JSON.stringify(raw)).toBe('{"results":[{"plate":"a","score":null}]}')
})

test('replaces what PostgreSQL cannot keep, in values and in names', () => {
  const body = '{"results":[{"plate":"a\\u0000b\\ud800"}],"camera_id":"\\udc00","k\\u0000":"🚗"}'

  expect(parsed(body).raw).toEqual({
    results: [{ plate: 'a\uFFFDb\uFFFD' }],
    camera_id: '\uFFFD',
    'k\uFFFD': '🚗',
  })
  expect(parsed(body).results[0]?.plate).toBe('a\uFFFDb\uFFFD')
})

test.each<[what: string, results: string, mended: string[], results: unknown]>([
  [
    'NaN and Infinity, as Python writes them',
    '[{"a":NaN,"b":[-Infinity,Infinity]}]',
    ['number'],
    [{ a: null, b: [null, null] }],
  ],
  [
    'these words in texts',
    '[{"a":"NaN \\"Infinity\\" \\\\","b":NaN}]',
    ['number'],
    [{ a: 'NaN "Infinity" \\', b: null }],
  ],
  ['a number that no float holds', '[1e999]', ['number'], [null]],
  [
    'NUL, half a character and too deep a list',
    `["\\u0000","\\udfff",${'['.repeat(1_000)}${']'.repeat(1_000)}]`,
    ['depth', 'nul', 'surrogate'],
    expect.arrayContaining(['\uFFFD']),
  ],
  ['nothing amiss', '["NaN"]', [], ['NaN']],
])('reads %s, and notes what it replaced', (_what, results, mended, read) => {
  const response = parsed(`{"results":${results}}`)

  expect(response.noted).toEqual({ mended })
  expect(response.raw).toEqual({ results: read })
})

test('notes bytes that are no UTF-8', () => {
  const body = Buffer.from('{"camera_id":"Z\u00fcrich","results":[]}', 'latin1')

  expect(parseResponse(body)).toMatchObject({
    camera_id: 'Z\uFFFDrich',
    noted: { mended: ['encoding'] },
  })
})

test.each<[what: string, body: string, results: number]>([
  [
    '100,000 results',
    `{"results":[${Array(100_000).fill('{"plate":"nhk552","score":0.9}')}]}`,
    100_000,
  ],
  ['a million that are none', `{"results":[${Array(1_000_000).fill('1')}]}`, 1_000_000],
  ['lists in lists, a million deep', `{"results":[${'['.repeat(1e6)}${']'.repeat(1e6)}]}`, 1],
])('reads %s', (_what, body, results) => {
  const response = parsed(body)

  expect(response.results).toHaveLength(results)
  expect(JSON.stringify(response.raw).length).toBeGreaterThan(0)
})

test('reads the first hundred guesses of a kind, and keeps all of them', () => {
  const model_make = Array.from({ length: 1_000 }, (_, n) => ({ make: `make ${n}`, score: 0.1 }))
  const response = answerOf([{ plate: 'a', model_make }])

  expect(response.results[0]).toMatchObject({ model_make: model_make.slice(0, 100) })
  expect(response.raw).toEqual({ results: [{ plate: 'a', model_make }] })
})

test('a key called __proto__ is a key like any other', () => {
  const body = '{"results":[{"plate":"a","__proto__":{"score":1}}],"__proto__":{"uuid":"x"}}'
  const response = parsed(body)

  expect(JSON.stringify(response.raw)).toBe(body)
  expect(response.uuid).toBeUndefined()
  expect(response.results).toEqual([{ plate: 'a' }])
})

const seed = Number(process.env['TEST_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))

test(`junk anywhere in a result costs no other result (TEST_SEED=${seed})`, () => {
  const random = randomOf(seed)
  for (let round = 0; round < 300; round += 1) {
    const answer = ANSWERS[Math.trunc(random() * ANSWERS.length)] ?? ANSWERS[0]
    const sent = JSON.parse(textOf(answer))
    const results = [
      { plate: 'before' },
      ...junkIn(sent.results ?? sent, random),
      { plate: 'after' },
    ]

    const read = answerOf(results).results
    expect(read).toHaveLength(results.length)
    expect(read.at(0)?.plate).toBe('before')
    expect(read.at(-1)?.plate).toBe('after')
  }
})
