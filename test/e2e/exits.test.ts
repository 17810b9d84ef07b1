import { expect, inject, test } from 'vitest'
import type { SandboxSwitches } from '../../src/sandbox/options.ts'
import { freePort } from '../support/free-port.ts'
import { createWorkplace } from '../support/workplace.ts'

interface Case {
  lines?: string[]
  flags?: string[]
  env?: Record<string, string>
  sandbox?: SandboxSwitches
  exit: number
  stopped: string | null
  /** Parts of standard error. */
  said?: string[]
  requests: number
}

const GATE = 'samples/gate-sedan-front.jpg'
const nobody = `127.0.0.1:${await freePort()}`
const noCredits: SandboxSwitches = { usedCalls: 2500 }
const s3 = {
  STORE_IMAGES: 's3',
  S3_BUCKET: 'plates',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
}

test.each<[what: string, each: Case]>([
  ['everything stored', { exit: 0, stopped: null, requests: 1 }],
  [
    'everything below the threshold',
    { flags: ['--confidence-threshold', '1'], exit: 0, stopped: null, requests: 1 },
  ],
  [
    'one image missing, the others done',
    {
      lines: ['missing.jpg', GATE],
      exit: 1,
      stopped: null,
      requests: 1,
      said: ['line 1: missing.jpg does not exist. [file_not_found]'],
    },
  ],
  [
    'a wrong key',
    {
      sandbox: { token: 'another' },
      exit: 3,
      stopped: 'api_refused',
      requests: 1,
      said: ['refuses the API key (status 403)', 'Check PLATE_API_KEY', '[api_refused]'],
    },
  ],
  [
    'no credits left',
    {
      sandbox: noCredits,
      exit: 3,
      stopped: 'api_refused',
      requests: 1,
      said: ['No credits are left: 2500 of 2500 lookups are used', 'the next are there on 20'],
    },
  ],
  [
    'an API that fails',
    {
      sandbox: { fault: () => ({ status: 502 }) },
      flags: ['--retries', '0', '--stop-after', '1'],
      exit: 3,
      stopped: 'api_down',
      requests: 1,
      said: ['failed because the API does not answer', '502'],
    },
  ],
  [
    'an API that nobody hears of',
    {
      env: { SNAPSHOT_API_URL: `http://${nobody}` },
      flags: ['--retries', '0', '--stop-after', '1'],
      exit: 3,
      stopped: 'api_down',
      requests: 0,
      said: ['the API cannot be reached', 'SNAPSHOT_API_URL'],
    },
  ],
  [
    'a budget used up',
    {
      flags: ['--max-lookups', '0'],
      exit: 3,
      stopped: 'max_lookups',
      requests: 0,
      said: ['[max_lookups]'],
    },
  ],
  [
    'a database that is not there',
    {
      env: { DATABASE_URL: `postgresql://me:pw@${nobody}/plates` },
      exit: 3,
      stopped: 'database_down',
      requests: 0,
      said: [`PostgreSQL "plates" on ${nobody} cannot be reached`, 'Check DATABASE_URL'],
    },
  ],
  [
    'an embedded database whose folder cannot be',
    {
      env: { DATABASE_URL: 'pglite:images.txt/plates' },
      exit: 3,
      stopped: 'database_down',
      requests: 0,
      said: ['images.txt/plates', '[folder_unusable]'],
    },
  ],
  [
    'an S3 server that is not there',
    {
      env: { ...s3, AWS_ENDPOINT_URL: `http://${nobody}` },
      exit: 3,
      stopped: 'storage_down',
      requests: 0,
      said: ['s3://plates cannot be used', 'ECONNREFUSED', 'Check AWS_ENDPOINT_URL'],
    },
  ],
])(
  '%s',
  async (_, { lines = [GATE], flags, env = {}, sandbox, exit, stopped, said = [], requests }) => {
    await using place = await createWorkplace(sandbox && { sandbox })
    const { exitCode, stderr, summary } = await place.ingest(lines, flags, { env })
    expect(exitCode).toBe(exit)
    expect(summary.stopped).toBe(stopped)
    expect(place.sandbox.lookups).toHaveLength(requests)
    for (const part of said) expect(stderr).toContain(part)
    expect(stderr).not.toMatch(/^ +at /m)
  },
)

test.for<[what: string, isHere: boolean, env: Record<string, string>, said: string]>([
  ['that is not there', true, { S3_BUCKET: 'no-such-bucket' }, 'there is no such bucket'],
  [
    'that refuses the keys',
    inject('s3').verifiesSignatures,
    { AWS_SECRET_ACCESS_KEY: 'wrong' },
    '[storage_refused]',
  ],
])(
  'a bucket %s stops the run before anything is asked',
  async ([, isHere, env, said], { skip }) => {
    // An S3 server that takes any signature refuses no keys.
    if (!isHere) skip('the S3 server takes any keys')
    await using place = await createWorkplace({ storage: 's3' })
    const { exitCode, stderr, summary } = await place.ingest([GATE], [], { env })
    expect(exitCode).toBe(3)
    expect(summary).toMatchObject({ images: 0, stopped: 'storage_down' })
    expect(place.sandbox.lookups).toEqual([])
    expect(stderr).toContain(said)
  },
)

test('a database that refuses the password is named, and the password is not', async () => {
  await using place = await createWorkplace()
  const url = new URL(place.env['DATABASE_URL'] ?? '')
  url.username = 'nobody_of_that_name'
  url.password = 'wr0ngpassw0rd'
  const { exitCode, stderr, summary } = await place.ingest([GATE], [], {
    env: { DATABASE_URL: url.href },
  })
  expect([exitCode, summary.stopped]).toEqual([3, 'database_down'])
  expect(stderr).toMatch(/refuses: .*nobody_of_that_name/)
  expect(stderr).not.toContain('wr0ngpassw0rd')
})

test.each<[what: string, args: string[], said: string]>([
  ['an unknown flag', ['--images', 'x', '--colour'], "unknown option '--colour'"],
  ['an unknown command', ['ingets'], 'ingets'],
  ['a flag without its value', ['--images'], "'--images <file>' argument missing"],
  ['a flag of another command', ['migrate', '--force'], "unknown option '--force'"],
])('%s is exit 2 and named', async (_, args, said) => {
  await using place = await createWorkplace()
  const { exitCode, stdout, stderr } = await place.run(args)
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toContain(said)
})
