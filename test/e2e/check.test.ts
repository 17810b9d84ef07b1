import { expect, test } from 'vitest'
import type { SandboxSwitches } from '../../src/sandbox/options.ts'
import { freePort } from '../support/free-port.ts'
import { API_KEY, createWorkplace } from '../support/workplace.ts'

test('says in one line each that API, database and bucket work, and spends no lookup', async () => {
  await using place = await createWorkplace({ storage: 's3', sandbox: { usedCalls: 100 } })
  const { exitCode, stdout, stderr } = await place.run(['check'])
  expect([exitCode, stderr]).toEqual([0, ''])
  const host = new URL(place.sandbox.url).host
  const [api, database, storage, ...rest] = stdout.split('\n')
  expect(api).toMatch(
    new RegExp(`^ok +api +${host} takes the key; 2400 of 2500 lookups are left until 20`),
  )
  expect(database).toMatch(/^ok +database +PostgreSQL "test_\w+" on .* its schema is current\.$/)
  expect(storage).toMatch(/^ok +storage +s3:\/\/test-\w+ at http.* can be written and read back\.$/)
  expect(rest).toEqual([''])
  expect(place.sandbox.lookups).toEqual([])
  expect(place.sandbox.statisticsRequests).toBe(1)
  expect(stdout).not.toContain(API_KEY)
})

test('asks an SDK for its version and count, and never shows its licence key', async () => {
  await using place = await createWorkplace({ sandbox: { flavor: 'sdk', usedCalls: 7 } })
  const { exitCode, stdout, stderr } = await place.run(['check'], { env: { PLATE_API_KEY: '' } })
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^ok +api +SDK 1\.58\.0 at .* answers; 2493 of 2500 lookups are left\.$/m)
  expect(stdout).toMatch(
    /^ok +storage +the database \(image_data\) is where images go \(STORE_IMAGES=db\)\.$/m,
  )
  expect(stdout + stderr).not.toContain('sandbox-license-key')
})

test('tells all of it as JSON too', async () => {
  await using place = await createWorkplace({ sandbox: { token: 'another' } })
  const { exitCode, records } = await place.run(['check', '--json'])
  expect(exitCode).toBe(3)
  expect(records).toEqual([
    expect.objectContaining({ event: 'check', what: 'api', ok: false, code: 'api_refused' }),
    expect.objectContaining({ event: 'check', what: 'database', ok: true }),
    expect.objectContaining({ event: 'check', what: 'storage', ok: true }),
  ])
})

const nobody = `127.0.0.1:${await freePort()}`
const s3 = { STORE_IMAGES: 's3', S3_BUCKET: 'plates', AWS_ACCESS_KEY_ID: 'id' }

test.each<[what: string, env: Record<string, string>, sandbox: SandboxSwitches, line: RegExp]>([
  ['a wrong key', {}, { token: 'x' }, /^FAILED +api +.* refuses the API key .*PLATE_API_KEY/m],
  [
    'an API that is not there',
    { SNAPSHOT_API_URL: `http://${nobody}` },
    {},
    /^FAILED +api +.* cannot be reached: .*ECONNREFUSED/m,
  ],
  [
    'a database that is not there',
    { DATABASE_URL: `postgresql://${nobody}/plates` },
    {},
    /^FAILED +database +PostgreSQL "plates" .* cannot be reached.* Check DATABASE_URL/m,
  ],
  [
    'an S3 server that is not there',
    { ...s3, AWS_SECRET_ACCESS_KEY: 'k', AWS_ENDPOINT_URL: `http://${nobody}` },
    {},
    /^FAILED +storage +s3:\/\/plates cannot be used: .*ECONNREFUSED/m,
  ],
])('%s fails its own line only, with exit 3', async (_, env, sandbox, line) => {
  await using place = await createWorkplace({ sandbox })
  const { exitCode, stdout } = await place.run(['check'], { env })
  expect(exitCode).toBe(3)
  expect(stdout).toMatch(line)
  expect(stdout.match(/^FAILED/gm)).toHaveLength(1)
  expect(stdout.match(/^ok/gm)).toHaveLength(2)
  expect(stdout.trimEnd().split('\n')).toHaveLength(3)
  expect(place.sandbox.lookups).toEqual([])
})

test('no lookups left is told before a night is lost', async () => {
  await using place = await createWorkplace({ sandbox: { usedCalls: 2500 } })
  const { stdout } = await place.run(['check'])
  expect(stdout).toMatch(/; 0 of 2500 lookups are left until 20/)
})
