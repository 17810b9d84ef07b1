import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ApiSettings, readSettings } from '../../src/config.ts'
import { INSECURE, sendsKeyInClear } from '../../src/insecure-api.ts'
import { problemsOf, settingsOf } from './settings-of.ts'

const CLOUD = 'https://api.platerecognizer.com/v1/plate-reader/'
const SDK = 'http://localhost:8080/v1/plate-reader/'

test.each<[given: string | undefined, url: string, isCloud: boolean]>([
  [undefined, CLOUD, true],
  ['', CLOUD, true],
  ['https://api.platerecognizer.com', CLOUD, true],
  ['https://api.platerecognizer.com/', CLOUD, true],
  ['https://api.platerecognizer.com/v1', CLOUD, true],
  ['https://api.platerecognizer.com/v1/plate-reader', CLOUD, true],
  [CLOUD, CLOUD, true],
  ['HTTPS://API.PlateRecognizer.com/v1/', CLOUD, true],
  ['http://localhost:8080', SDK, false],
  ['http://localhost:8080/', SDK, false],
  ['http://localhost:8080//', SDK, false],
  ['http://localhost:8080/v1', SDK, false],
  ['http://localhost:8080/v1/plate-reader', SDK, false],
  [' http://localhost:8080/v1/plate-reader/ ', SDK, false],
  ['http://[::1]:8080', 'http://[::1]:8080/v1/plate-reader/', false],
  ['https://gate.example/sdk', 'https://gate.example/sdk/v1/plate-reader/', false],
  ['https://gate.example/sdk/v1/', 'https://gate.example/sdk/v1/plate-reader/', false],
  ['https://v1.example', 'https://v1.example/v1/plate-reader/', false],
])('the API address %j is %s', (given, url, isCloud) => {
  expect(settingsOf({ SNAPSHOT_API_URL: given }).api).toEqual({
    ...{ url, isCloud, key: 'k' },
    allowInsecure: false,
  })
})

test.each(['localhost:8080', 'api.platerecognizer.com/v1', 'ftp://host/', 'http://', 'nonsense'])(
  'the API address %s is none',
  (given) => {
    expect(problemsOf({ SNAPSHOT_API_URL: given })).toEqual([
      {
        name: 'SNAPSHOT_API_URL',
        message: 'must be an http(s) address, such as http://localhost:8080/v1/plate-reader/',
      },
    ])
  },
)

test('the cloud without TLS would show the key, and is allowed only by name', async () => {
  const SNAPSHOT_API_URL = 'http://api.platerecognizer.com/v1/plate-reader/'
  expect(problemsOf({ SNAPSHOT_API_URL })).toEqual([INSECURE])
  const needs = { api: true, storage: true, allowInsecureApi: true }
  expect(problemsOf({ SNAPSHOT_API_URL }, needs)).toEqual([])
})

test.each<[url: string, isInClear: boolean, changes?: Partial<ApiSettings>]>([
  ['http://93.184.215.14:8080/v1/plate-reader/', true],
  ['http://[2606:2800:21f:cb07::1]/v1/plate-reader/', true],
  ['http://93.184.215.14/v1/plate-reader/', false, { key: undefined }],
  ['http://93.184.215.14/v1/plate-reader/', false, { allowInsecure: true }],
  ['https://93.184.215.14/v1/plate-reader/', false],
  ['http://localhost:8080/v1/plate-reader/', false],
  ['http://10.1.2.3:8080/v1/plate-reader/', false],
  ['http://[fd00::1]:8080/v1/plate-reader/', false],
  ['http://sdk.invalid:8080/v1/plate-reader/', false],
])('is a key sent to %s in clear: %s %o', async (url, isInClear, changes) => {
  const api = { url, key: 'k', isCloud: false, allowInsecure: false, ...changes }
  expect(await sendsKeyInClear(api)).toBe(isInClear)
})

const NO_STORAGE = { api: true, storage: false }

test.each<[what: string, key: string | undefined]>([
  ['no key', undefined],
  ['an empty key', ''],
  ['a blank key', '  '],
])('the cloud does not go with %s', (_what, key) => {
  expect(problemsOf({ PLATE_API_KEY: key }, NO_STORAGE)).toEqual([
    {
      name: 'PLATE_API_KEY',
      message: expect.stringMatching(/^is not set\. .*plate-snapshot demo$/),
    },
  ])
})

test('an SDK needs no key, and may have one', () => {
  const SNAPSHOT_API_URL = SDK

  expect(settingsOf({ SNAPSHOT_API_URL, PLATE_API_KEY: '' }).api.key).toBeUndefined()
  expect(settingsOf({ SNAPSHOT_API_URL, PLATE_API_KEY: 'k' }).api.key).toBe('k')
})

test('a command that asks nothing needs no key', () => {
  expect(problemsOf({ PLATE_API_KEY: '' }, { api: false, storage: false })).toEqual([])
})

test('a missing key is not complained of where the address is wrong: an SDK may be meant', () => {
  const problems = problemsOf({ PLATE_API_KEY: '', SNAPSHOT_API_URL: 'localhost:8080' }, NO_STORAGE)

  expect(problems.map(({ name }) => name)).toEqual(['SNAPSHOT_API_URL'])
})

test.each([['Token 0123456789'], ['0123\n4567'], ['„0123"'], ['0123🔑']])(
  'the key %j is none, and is not repeated',
  (key) => {
    const [problem, ...others] = problemsOf({ PLATE_API_KEY: key }, NO_STORAGE)

    expect(problem).toEqual({
      name: 'PLATE_API_KEY',
      message: 'holds blanks or characters that no key has.',
    })
    expect(others).toEqual([])
  },
)

test('white space around a key is not part of it', () => {
  expect(settingsOf({ PLATE_API_KEY: ' 0123 \n' }).api.key).toBe('0123')
})

test.each(['HTTP_PROXY', 'HTTPS_PROXY'])('%s must be an address', (name) => {
  const message = 'must be an http(s) address, such as http://proxy:3128.'

  expect(problemsOf({ [name]: 'http://user:secret@proxy:3128' })).toEqual([])
  expect(problemsOf({ [name]: '' })).toEqual([])
  expect(problemsOf({ [name]: 'proxy:3128' })).toEqual([{ name, message }])
  expect(problemsOf({ [name]: '10.0.0.1:3128' })).toEqual([{ name, message }])
})

test('without any setting but the key, everything has its default', () => {
  expect(readSettings({ PLATE_API_KEY: 'k', HOME: '/root' }, { api: true, storage: true })).toEqual(
    {
      settings: {
        api: { url: CLOUD, isCloud: true, key: 'k', allowInsecure: false },
        database: { kind: 'embedded', folder: './plate-snapshot-data' },
        storage: { kind: 'db' },
        stateFolder: join(homedir(), '.local/state/plate-snapshot'),
        queueSchema: 'pgboss',
        dieAt: undefined,
      },
    },
  )
})
