import { expect, test } from 'vitest'
import type { Flag } from '../../src/flag.ts'
import { INGEST_FLAGS } from '../../src/flags.ts'
import { readIngestOptions, readReprocessOptions } from '../../src/options.ts'

const read = (given: Record<string, unknown>) => readIngestOptions({ images: '-', ...given })

test('only the images have to be named', () => {
  expect(read({}).options).toEqual({
    images: '-',
    delay: 0.5,
    confidenceThreshold: 0,
    concurrency: 8,
    regions: [],
    mmc: false,
    retries: 5,
    lostAnswer: 'once',
    fetchTimeout: 30,
    lookupTimeout: 60,
    maxImageBytes: 20_000_000,
    maxImagePixels: 200_000_000,
    settle: 2,
    capturedAt: ['api'],
    publicOnly: false,
    allowHost: [],
    local: true,
    allowInsecureApi: false,
    stopAfter: 10,
    grace: 30,
    patience: 60,
    heartbeat: 5,
    force: false,
    reread: false,
    dryRun: false,
    json: false,
    quiet: false,
  })
})

test('what is left out is as the table of flags says', () => {
  const defaults = Object.entries<Flag>(INGEST_FLAGS).map(([option, flag]) => [
    option,
    // Of those that may be more than one, the list is given.
    option === 'capturedAt' ? [flag.default] : flag.default,
  ])
  const known = defaults.filter(([, value]) => value !== undefined)
  expect(read({}).options).toMatchObject(Object.fromEntries(known))
})

test.each<[option: string, given: unknown, value: unknown]>([
  ['delay', '0', 0],
  ['delay', '1.25', 1.25],
  ['delay', 2, 2],
  ['confidenceThreshold', '0.8', 0.8],
  ['confidenceThreshold', '1', 1],
  ['concurrency', '1', 1],
  ['concurrency', '1000', 1_000],
  ['retries', '0', 0],
  ['lostAnswer', 'fail', 'fail'],
  ['fetchTimeout', '0.5', 0.5],
  ['lookupTimeout', ' 90 ', 90],
  ['maxImageBytes', '3e6', 3_000_000],
  ['stopAfter', '1', 1],
  ['grace', '0', 0],
  ['patience', '0', 0],
  ['heartbeat', '0.1', 0.1],
  ['maxLookups', '0', 0],
  ['maxLookups', '2500', 2_500],
  ['cameraId', 'gate 7', 'gate 7'],
  ['failed', 'failed.txt', 'failed.txt'],
  ['mmc', true, true],
  ['reread', true, true],
])('%s may be %j', (option, given, value) => {
  expect(read({ [option]: given }).options).toHaveProperty(option, value)
})

const SECONDS = 'must be a number of seconds, 0 or more.'
const SOME_SECONDS = 'must be a number of seconds, 0.001 or more.'
const IMAGES = 'is required: a file with one path or URL a line, a folder, or - for standard input.'
const JSON_OBJECT = `must be a JSON object, such as '{"mode":"fast"}'.`

test.each<[flag: string, option: string, given: unknown, message: string]>([
  ['--images', 'images', undefined, IMAGES],
  ['--images', 'images', '', IMAGES],
  ['--delay', 'delay', '-1', SECONDS],
  ['--delay', 'delay', 'soon', SECONDS],
  ['--delay', 'delay', '', SECONDS],
  ['--delay', 'delay', '1e400', SECONDS],
  ['--delay', 'delay', '2000001', 'must be at most 2000000 seconds.'],
  ['--delay', 'delay', Number.NaN, SECONDS],
  ['--confidence-threshold', 'confidenceThreshold', '80', 'must be from 0 to 1.'],
  ['--confidence-threshold', 'confidenceThreshold', '-0.1', 'must be from 0 to 1.'],
  ['--confidence-threshold', 'confidenceThreshold', '0,8', 'must be a number from 0 to 1.'],
  ['--concurrency', 'concurrency', '0', 'must be a whole number from 1 to 1000.'],
  ['--concurrency', 'concurrency', '1001', 'must be a whole number from 1 to 1000.'],
  ['--concurrency', 'concurrency', '0.5', 'must be a whole number from 1 to 1000.'],
  ['--retries', 'retries', '-1', 'must be a whole number from 0 to 100.'],
  ['--retries', 'retries', '101', 'must be a whole number from 0 to 100.'],
  ['--lost-answer', 'lostAnswer', 'twice', 'must be once, retry or fail.'],
  ['--fetch-timeout', 'fetchTimeout', '0', SOME_SECONDS],
  ['--lookup-timeout', 'lookupTimeout', '0', SOME_SECONDS],
  ['--max-image-bytes', 'maxImageBytes', '20MB', 'must be a whole number, 1 or more.'],
  ['--stop-after', 'stopAfter', '0', 'must be a whole number, 1 or more.'],
  ['--stop-after', 'stopAfter', '9007199254740993', 'must be a whole number, 1 or more.'],
  ['--grace', 'grace', '-1', SECONDS],
  ['--max-lookups', 'maxLookups', '-1', 'must be a whole number, 0 or more.'],
  ['--max-lookups', 'maxLookups', '', 'must be a whole number, 0 or more.'],
  ['--camera-id', 'cameraId', '', 'must not be empty.'],
  ['--failed', 'failed', '', 'must not be empty.'],
  ['--engine-config', 'engineConfig', '{mode:fast}', JSON_OBJECT],
  ['--engine-config', 'engineConfig', '[1]', JSON_OBJECT],
  ['--engine-config', 'engineConfig', '"fast"', JSON_OBJECT],
  ['--engine-config', 'engineConfig', 'null', JSON_OBJECT],
])('%s: %s may not be %j', (flag, option, given, message) => {
  expect(read({ [option]: given })).toEqual({
    options: undefined,
    problems: [{ name: flag, message }],
  })
})

test('all that is wrong is told at once', () => {
  const { problems } = readIngestOptions({ delay: 'x', retries: 'x', lostAnswer: 'x' })

  expect(problems.map(({ name }) => name)).toEqual([
    '--images',
    '--delay',
    '--retries',
    '--lost-answer',
  ])
})

test.each<[what: string, given: string[], regions: string[]]>([
  ['one by one', ['us-ca', 'fr'], ['us-ca', 'fr']],
  ['with commas', ['us-ca,fr'], ['us-ca', 'fr']],
  ['with commas and blanks', ['us-ca, fr ', 'gb,'], ['us-ca', 'fr', 'gb']],
  ['in capitals', ['US-CA'], ['us-ca']],
  ['twice', ['fr', 'FR,fr'], ['fr']],
  ['as nothing', ['', ','], []],
])('regions may be given %s', (_what, given, regions) => {
  expect(read({ regions: given }).options?.regions).toEqual(regions)
})

test.each<[what: string, given: unknown]>([
  ['JSON text', '{"mode":"fast","threshold_d":0.2,"text_formats":["[a-z]{3}"]}'],
  ['an object', { mode: 'fast', threshold_d: 0.2, text_formats: ['[a-z]{3}'] }],
])('the engine configuration may be %s', (_what, given) => {
  expect(read({ engineConfig: given }).options?.engineConfig).toEqual({
    mode: 'fast',
    threshold_d: 0.2,
    text_formats: ['[a-z]{3}'],
  })
})

test('reprocess takes its threshold as ingest does', () => {
  const options = { confidenceThreshold: 0.5, json: false, quiet: false }

  expect(readReprocessOptions({ confidenceThreshold: '0.5' }).options).toEqual(options)
  expect(readReprocessOptions({}).options?.confidenceThreshold).toBe(0)
  expect(readReprocessOptions({ confidenceThreshold: '2' }).problems).toEqual([
    { name: '--confidence-threshold', message: 'must be from 0 to 1.' },
  ])
})
