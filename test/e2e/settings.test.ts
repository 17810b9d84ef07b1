import { expect, test } from 'vitest'
import { type CliOptions, runCli } from '../support/cli.ts'
import { startImageServer } from '../support/image-server.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

/** The names at the start of the lines of a settings message. */
function namesIn(stderr: string): string[] {
  return [...stderr.matchAll(/^ {2}((?:--[a-z-]+|[A-Z][A-Z0-9_]+)(?:, [A-Z][A-Z0-9_]+)*) /gm)].map(
    ([, name]) => name ?? '',
  )
}

const WRONG_SETTINGS = {
  PLATE_API_KEY: 'two words',
  SNAPSHOT_API_URL: 'ftp://127.0.0.1/',
  DATABASE_URL: 'mysql://127.0.0.1/plates',
  STORE_IMAGES: 'disk',
  S3_BUCKET: 's3://plates/2026',
  AWS_ACCESS_KEY_ID: 'half of a pair',
  AWS_ENDPOINT_URL: 'minio:9000',
  S3_URL_STYLE: 'public',
  S3_URL_EXPIRES: '8 days',
}
const WRONG_FLAGS: [flag: string, value: string][] = [
  ['--delay', '-1'],
  ['--confidence-threshold', '1.5'],
  ['--concurrency', '0'],
  ['--engine-config', '{mode:fast}'],
  ['--retries', 'many'],
  ['--lost-answer', 'maybe'],
  ['--fetch-timeout', '0'],
  ['--lookup-timeout', ''],
  ['--max-image-bytes', '1.5'],
  ['--stop-after', '0'],
  ['--grace', 'never'],
  ['--max-lookups', '-1'],
]

test('every wrong setting and flag is named in one message, and nothing is begun', async () => {
  await using images = await startImageServer({ '/car.jpg': pictureOf('car') })
  await using place = await createWorkplace()
  await place.write('list.txt', `${images.url}/car.jpg\n`)
  const flags = WRONG_FLAGS.map(([flag, value]) => `${flag}=${value}`)
  const { exitCode, stdout, stderr } = await place.run(['--images', 'list.txt', ...flags], {
    env: WRONG_SETTINGS,
  })
  expect(exitCode).toBe(2)
  expect(stdout).toBe('')
  const expected = [
    ...Object.keys(WRONG_SETTINGS).map((name) =>
      name === 'AWS_ACCESS_KEY_ID' ? 'AWS_SECRET_ACCESS_KEY' : name,
    ),
    ...WRONG_FLAGS.map(([flag]) => flag),
  ]
  expect(namesIn(stderr).sort()).toEqual(expected.sort())
  expect(stderr).toContain('nothing was fetched or billed')
  expect(images.requests).toEqual([])
  expect(place.sandbox.lookups).toEqual([])
})

test('with nothing set, everything that is missing is named in one message', async () => {
  const { exitCode, stdout, stderr } = await runCli(['--images', 'none.txt'], {
    env: { DATABASE_URL: 'postgresql://127.0.0.1:1/plates' },
  })
  expect(exitCode).toBe(2)
  expect(stdout).toBe('')
  expect(namesIn(stderr)).toEqual([
    'PLATE_API_KEY',
    'S3_BUCKET',
    '--images',
    'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY',
  ])
  expect(stderr).toContain('plate-snapshot demo')
  expect(stderr).toContain('STORE_IMAGES=db')
  expect(stderr).toContain('none.txt does not exist')
})

test('one wrong setting does not hide that S3 lacks everything', async () => {
  const { exitCode, stderr } = await runCli(['reprocess'], {
    env: { DATABASE_URL: 'mysql://127.0.0.1/plates', S3_URL_EXPIRES: 'long' },
  })
  expect(exitCode).toBe(2)
  expect(namesIn(stderr)).toEqual([
    'DATABASE_URL',
    'S3_URL_EXPIRES',
    'S3_BUCKET',
    'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY',
  ])
})

test('with nothing set and no server database, only the key and the list are missing', async () => {
  const { exitCode, stderr } = await runCli([])
  expect([exitCode, namesIn(stderr)]).toEqual([2, ['PLATE_API_KEY', '--images']])
})

test.each<[what: string, env: Record<string, string>, name: string, said: string]>([
  ['a host without scheme', { SNAPSHOT_API_URL: 'sdk:8080' }, 'SNAPSHOT_API_URL', 'http(s)'],
  ['no folder', { DATABASE_URL: 'pglite:' }, 'DATABASE_URL', 'pglite:./plates'],
  ['a link of ten days', { S3_URL_EXPIRES: '864000' }, 'S3_URL_EXPIRES', '7 days'],
  [
    'a certificate that is not there',
    { DATABASE_URL: 'postgresql://h/d?sslrootcert=/no.pem' },
    'DATABASE_URL',
    '/no.pem',
  ],
])('%s is exit 2 and says what is expected', async (_, env, name, said) => {
  const { exitCode, stderr } = await runCli(['check'], {
    env: { PLATE_API_KEY: 'k', STORE_IMAGES: 'db', ...env },
  })
  expect([exitCode, namesIn(stderr)]).toEqual([2, [name]])
  expect(stderr).toContain(said)
})

test.each<[what: string, dotenv: string, env: Record<string, string>, sent: string]>([
  ['.env is read', 'PLATE_API_KEY=from-file', {}, 'Token from-file'],
  [
    'the environment wins over .env',
    'PLATE_API_KEY=from-file',
    { PLATE_API_KEY: 'from-env' },
    'Token from-env',
  ],
  [
    'an empty variable is unset, so that .env has its say',
    'PLATE_API_KEY=from-file',
    { PLATE_API_KEY: '' },
    'Token from-file',
  ],
  ['quotes and export are understood', `export PLATE_API_KEY='quoted'`, {}, 'Token quoted'],
])('%s', async (_, dotenv, { ...env }, sent) => {
  await using place = await createWorkplace()
  const { PLATE_API_KEY: _key, ...rest } = place.env
  await place.write('.env', `# settings\n${dotenv}\n`)
  await place.write('list.txt', 'samples/gate-sedan-front.jpg\n')
  const options: CliOptions = { cwd: place.folder, env: { ...rest, ...env } }
  const { exitCode, stderr } = await runCli(['--images', 'list.txt'], options)
  expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('dotenv')])
  expect(place.sandbox.lookups.map(({ authorization }) => authorization)).toEqual([sent])
})

test('empty settings are unset settings: the SDK needs no key', async () => {
  await using place = await createWorkplace({ sandbox: { flavor: 'sdk' } })
  const empty = { PLATE_API_KEY: ' ', S3_BUCKET: '', AWS_REGION: '', S3_URL_EXPIRES: '' }
  const { exitCode } = await place.ingest(['samples/gate-sedan-front.jpg'], [], { env: empty })
  expect(exitCode).toBe(0)
  expect(place.sandbox.lookups.map(({ authorization }) => authorization)).toEqual([undefined])
})

test('a wrong flag does not hide that the list is missing', async () => {
  await using place = await createWorkplace()
  const { exitCode, stderr } = await place.run(['--images', 'none.txt', '--delay', 'soon'])
  expect([exitCode, namesIn(stderr)]).toEqual([2, ['--delay', '--images']])
})
