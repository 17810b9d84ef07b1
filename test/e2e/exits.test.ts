import { describe, expect, inject, test } from 'vitest'
import type { SandboxFault } from '../../src/sandbox/fault.ts'
import type { SandboxSwitches } from '../../src/sandbox/options.ts'
import type { Stopped } from '../../src/tally.ts'
import { freePort } from '../support/free-port.ts'
import { pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, names } from '../support/workplace.ts'

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

const RUNS: [what: string, each: Case][] = [
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
]

test.each(RUNS)(
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

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

test.each(SIGNALS)('%s is exit %i', async (signal, exit) => {
  await using place = await createWorkplace()
  const running = await place.startIngest(await place.draw(...names(3)), ['--delay', '600'])
  await running.untilSaid(/"event":"image"/)
  running.kill(signal)
  const { exitCode, summary } = await running.ended
  expect([exitCode, summary.stopped]).toEqual([exit, 'interrupted'])
})

test('every reason to stop, and every exit code of a run, is among these runs', () => {
  const reasons: Record<Stopped, true> = {
    ...{ interrupted: true, max_lookups: true, api_refused: true },
    ...{ api_down: true, database_down: true, storage_down: true },
  }
  const stopped = new Set(RUNS.map(([, run]) => run.stopped)).add('interrupted')
  expect(stopped).toEqual(new Set([null, ...Object.keys(reasons)]))
  const exits = [...RUNS.map(([, { exit }]) => exit), ...SIGNALS.map(([, exit]) => exit)]
  expect(new Set(exits)).toEqual(new Set([0, 1, 3, 130, 143]))
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

describe('an API that is down', () => {
  const flags = ['--retries', '0', '--concurrency', '1', '--stop-after', '3']

  test.each<[how: string, fault: SandboxFault]>([
    ['fails', { status: 503 }],
    ['hangs up', 'reset-before-answer'],
    ['never answers', 'hang'],
    ['answers with a page', 'html-200'],
  ])('and %s stops the run, which says how many lines are left', async (_, fault) => {
    await using place = await createWorkplace({ sandbox: { fault: () => fault } })
    const lines = ['# a list', '', ...(await place.draw(...names(8)))]
    const hurry = [...flags, '--lookup-timeout', '0.5']
    const { exitCode, stderr, summary } = await place.ingest(lines, hurry)
    expect([exitCode, summary.stopped]).toEqual([3, 'api_down'])
    expect(place.sandbox.lookups).toHaveLength(3)
    expect(summary).toMatchObject({ images: 3, failed: 3, left: 5 })
    expect(stderr).toContain('\n5 lines of the list are left.\n')
  })

  test('stops a run over standard input too, where nobody knows what is left', async () => {
    await using place = await createWorkplace({ sandbox: { fault: () => ({ status: 503 }) } })
    const input = (await place.draw(...names(8))).join('\n')
    const args = ['--images', '-', '--delay', '0', '--json', ...flags]
    const { exitCode, stderr, summary } = await place.run(args, { input })
    expect([exitCode, summary.stopped]).toEqual([3, 'api_down'])
    expect(summary).toMatchObject({ images: 3, failed: 3, left: null })
    expect(stderr).not.toContain('of the list')
  })
})

describe('an API that refuses', () => {
  test('stops the run at once: only what was under way was asked', async () => {
    await using place = await createWorkplace({ sandbox: { token: 'another', latencyMs: 100 } })
    const lines = await place.draw(...names(30))
    const { exitCode, stderr, summary } = await place.ingest(lines, ['--concurrency', '4'])
    expect([exitCode, summary.stopped]).toEqual([3, 'api_refused'])
    expect(place.sandbox.lookups.length).toBeLessThanOrEqual(4)
    expect(summary).toMatchObject({ images: 0, failed: 0, left: 30 })
    expect(stderr).toContain('\n30 lines of the list are left.\n')
  })

  test.each<[stopped: Stopped, flags: string[], requests: number]>([
    ['api_refused', [], 2],
    ['max_lookups', ['--max-lookups', '1'], 1],
  ])('after a lost answer stops the run as well: %s', async (stopped, flags, requests) => {
    const fault: SandboxSwitches['fault'] = ({ index }) =>
      index === 0 ? 'html-200' : { status: 403 }
    await using place = await createWorkplace({ sandbox: { fault } })
    const { exitCode, images, summary } = await place.ingest([GATE], flags)
    expect([exitCode, summary.stopped]).toEqual([3, stopped])
    expect(images.map(({ error }) => error?.code)).toEqual(['answer_lost'])
    expect(place.sandbox.lookups).toHaveLength(requests)
  })
})

describe.each([1, 8])('one sick image never stops a run, %i images at a time', (concurrency) => {
  test.each<[how: string, fault: SandboxFault]>([
    ['the API fails at', { status: 500 }],
    ['the API answers nonsense to', 'html-200'],
    ['the API never answers to', 'hang'],
  ])('that %s, in 15 copies, beside another such image', async (_, fault) => {
    const sick = ['sick 1.jpg', 'other.jpg'].map((name) => sha256Of(pictureOf(name)))
    await using place = await createWorkplace({
      sandbox: { fault: ({ sha256 }) => (sick.includes(sha256) ? fault : undefined) },
    })
    const good = await place.draw(...names(12))
    const copies = names(15, 'sick')
    await Promise.all(copies.map((copy) => place.write(copy, pictureOf('sick 1.jpg'))))
    const other = await place.draw('other.jpg')
    const lines = [...good.slice(0, 4), ...copies, ...good.slice(4, 8), ...other, ...good.slice(8)]
    const flags = ['--concurrency', `${concurrency}`, '--retries', '1', '--lookup-timeout', '2']
    const { exitCode, images, summary } = await place.ingest(lines, flags)
    expect([exitCode, summary.stopped]).toEqual([1, null])
    expect(summary).toMatchObject({ images: 28, no_plate: 12, failed: 16, lookups: 14 })
    // A copy is not asked about anew: each such request may cost money.
    for (const sha256 of sick) {
      const asked = place.sandbox.lookups.filter((lookup) => lookup.sha256 === sha256)
      expect(asked).toHaveLength(2)
    }
    const failed = images.filter(({ outcome }) => outcome === 'failed').map(({ source }) => source)
    expect(failed.sort()).toEqual([...copies, ...other].sort())
  })
})
