import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startImageServer } from '../support/image-server.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { API_KEY, createWorkplace, type Workplace } from '../support/workplace.ts'

const URL_SECRET = 'url0secret0password'
const SIGNATURE = 'signature0secret'
const DB_PASSWORD = `db0secret0${randomBytes(4).toString('hex')}`

/** A role of its own: the test server's password may be a word that messages use. */
async function withOwnRole({ query, env }: Workplace) {
  const role = `role_${randomBytes(6).toString('hex')}`
  await query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${DB_PASSWORD}'`)
  const url = new URL(env['DATABASE_URL'] ?? '')
  url.username = role
  url.password = DB_PASSWORD
  return {
    url: url.href,
    // The queue that it made is its own.
    [Symbol.asyncDispose]: async () =>
      void (await query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)),
  }
}

/** Every cell of every table but `image_url` and the pictures, as text. */
async function everyCell({ query }: Workplace): Promise<string> {
  const tables = ['vehicle_snapshots', 'plate_lookups', 'image_sources', 'ingest_runs', 'api_pace']
  const cells = await Promise.all(
    tables.map((table) =>
      query<{ row: object }>(
        `SELECT to_jsonb(t) - '{image_url,image_data}'::text[] AS row FROM ${table} t`,
      ),
    ),
  )
  return JSON.stringify(cells)
}

test('no secret is in any output or row', async () => {
  await using server = await startImageServer({
    '/car.jpg': pictureOf('car'),
    '/page.jpg': Buffer.from('<html></html>'),
    '/moved.jpg': (_, response) =>
      response.writeHead(302, { location: `/gone.jpg?X-Amz-Signature=${SIGNATURE}` }).end(),
  })
  await using place = await createWorkplace({ storage: 's3' })
  await using role = await withOwnRole(place)
  const at = `http://camera:${URL_SECRET}@${server.host}`
  const lines = [
    `${at}/car.jpg`,
    `${server.url}/car.jpg?X-Amz-Algorithm=AWS4&X-Amz-Signature=${SIGNATURE}&frame=7`,
    `${server.url}/car.jpg?sv=2024-01-01&sig=${SIGNATURE}`,
    `${at}/page.jpg?token=${SIGNATURE}`,
    `${at}/none.jpg`,
    `${server.url}/moved.jpg`,
    `http://camera:${URL_SECRET}@127.0.0.1:1/car.jpg?Signature=${SIGNATURE}`,
    `http://camera:${URL_SECRET}@/car.jpg`,
    `ftp://camera:${URL_SECRET}@${server.host}/car.jpg`,
    `samples/gate-sedan-front.jpg`,
  ]
  const env = { DATABASE_URL: role.url }
  const json = await place.ingest(lines, ['--failed', 'failed.txt'], { env })
  expect(json.summary).toMatchObject({
    images: 10,
    stored: 1,
    no_plate: 1,
    duplicate: 2,
    failed: 6,
  })
  const words = await place.run(['--images', 'images.txt', '--force'], { env })
  const others = await Promise.all(
    ['check', 'migrate', 'reprocess'].map((command) => place.run([command], { env })),
  )
  const said = [json, words, ...others].map(({ stdout, stderr }) => stdout + stderr).join('\n')
  const kept = await everyCell(place)
  const s3Secret = place.env['AWS_SECRET_ACCESS_KEY'] ?? ''
  for (const secret of [API_KEY, DB_PASSWORD, URL_SECRET, SIGNATURE, s3Secret]) {
    expect(said).not.toContain(secret)
    expect(kept).not.toContain(secret)
  }
  // What is no secret stays: the source can be told by it.
  expect(kept).toContain(`${server.url}/car.jpg?frame=7`)
  // The one place for them is the list that can be used again.
  expect(await readFile(join(place.folder, 'failed.txt'), 'utf8')).toContain(URL_SECRET)
})

test('an API that repeats the key in its answer does not have it repeated', async () => {
  const body = `{"detail":"Invalid token ${API_KEY}."}`
  await using place = await createWorkplace({ sandbox: { fault: () => ({ status: 403, body }) } })
  const refused = await place.ingest(['samples/gate-sedan-front.jpg'])
  place.sandbox.configure({ fault: () => ({ status: 400, body }) })
  const rejected = await place.ingest(['samples/gate-sedan-front.jpg'])
  expect([refused.exitCode, rejected.exitCode]).toEqual([3, 1])
  const said = [refused, rejected].map(({ stdout, stderr }) => stdout + stderr).join('\n')
  expect(said).toContain('Invalid token')
  expect(said + (await everyCell(place))).not.toContain(API_KEY)
})

test.each<[what: string, env: Record<string, string>]>([
  [
    'the database is not there',
    { DATABASE_URL: `postgresql://me:${URL_SECRET}@127.0.0.1:1/plates` },
  ],
  ['its address is wrong', { DATABASE_URL: `mysql://me:${URL_SECRET}@127.0.0.1/plates` }],
  ['its address has a blank', { DATABASE_URL: `postgresql://me:${URL_SECRET}@ 127.0.0.1/plates` }],
  ['the API is not there', { SNAPSHOT_API_URL: `http://me:${URL_SECRET}@127.0.0.1:1/` }],
  ['the API address is wrong', { SNAPSHOT_API_URL: `htp://me:${URL_SECRET}@127.0.0.1:1/` }],
  [
    'the S3 server is not there',
    {
      STORE_IMAGES: 's3',
      S3_BUCKET: 'plates',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'k',
      AWS_ENDPOINT_URL: `http://me:${URL_SECRET}@127.0.0.1:1`,
    },
  ],
  ['the proxy is not there', { HTTP_PROXY: `http://me:${URL_SECRET}@127.0.0.1:1` }],
])('when %s, the complaint holds no password', async (_, env) => {
  await using place = await createWorkplace()
  const flags = ['--retries', '0', '--stop-after', '1']
  const run = await place.ingest(['samples/gate-sedan-front.jpg'], flags, { env })
  const check = await place.run(['check'], { env })
  expect([2, 3]).toContain(run.exitCode)
  expect(run.stdout + run.stderr + check.stdout + check.stderr).not.toContain(URL_SECRET)
})
