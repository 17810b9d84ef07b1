import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { startForwardProxy } from '../support/forward-proxy.ts'
import { type Responder, startImageServer } from '../support/image-server.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { findSecrets, markOf, type Secrets } from '../support/secret-marks.ts'
import { startTlsPostgres } from '../support/tls-postgres.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

// What servers repeat and what the library throws: echoed-secrets.test.ts. Here: every output, row and file.

const KEY = markOf('api-key')
const DATABASE = markOf('database-password')
const PASSWORD = markOf('url-password')
const SIGNATURE = markOf('signature')
const PROXY = markOf('proxy-password')
const LICENSE = markOf('license-key')
const SECRETS: Secrets = { KEY, DATABASE, PASSWORD, SIGNATURE, PROXY, LICENSE }
const [password, signature] = [PASSWORD, SIGNATURE].map(encodeURIComponent)

/** Set, never read, and so never told. */
const OTHERS = { LICENSE_KEY: LICENSE, PLATE_LICENSE_KEY: LICENSE }

const said = (runs: readonly CliResult[]) =>
  runs.map(({ stdout, stderr }) => `${stdout}\n${stderr}`).join('\n')

/** A role of the test's own, with a marked password. */
async function withOwnRole({ query, env }: Workplace) {
  const role = `role_${randomBytes(6).toString('hex')}`
  await query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${DATABASE}'`)
  const url = new URL(env['DATABASE_URL'] ?? '')
  url.username = role
  url.password = encodeURIComponent(DATABASE)
  return {
    url: url.href,
    // The queue that it made is its own.
    [Symbol.asyncDispose]: async () =>
      void (await query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)),
  }
}

interface Row {
  image_url?: unknown
  name?: string
  state?: string
  data?: unknown
}

/** Every cell of every table, pg-boss's too, but presigned links, and jobs that wait or failed: those are needed whole. */
async function everyCell({ query }: Workplace): Promise<string> {
  const tables = await query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  )
  const all = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await query<{ row: Row }>(`SELECT to_jsonb(t) AS row FROM ${name} t`)
      return { name, rows: rows.map(({ row }) => withoutExceptions(row)) }
    }),
  )
  return JSON.stringify(all)
}

function withoutExceptions({ image_url: _, data, ...row }: Row): Row {
  const isNeeded = row.name?.endsWith('-failed') || /created|retry|active/.test(row.state ?? '')
  return isNeeded ? row : { data, ...row }
}

/** Every file in the folder and below but these. */
async function everyFile(folder: string, exceptions: readonly string[]): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !exceptions.includes(entry.name))
  return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name))))
}

const LISTS = ['images.txt', 'failed.txt', '.env']

async function expectNoSecret(place: Workplace, runs: readonly CliResult[], more: Secrets = {}) {
  const secrets = { ...SECRETS, ...more }
  expect(findSecrets(said(runs), secrets)).toEqual([])
  const files = await everyFile(place.folder, LISTS)
  expect(files.flatMap((bytes) => findSecrets(bytes, secrets))).toEqual([])
  return files
}

const page: Responder = (request, response) =>
  response.end(`<html>${request.url} ${request.headers.authorization}</html>`)
const moved: Responder = (_, response) =>
  response.writeHead(302, { location: `/gone.jpg?X-Amz-Signature=${signature}` }).end()
const away: Responder = (_, response) =>
  response.writeHead(302, { location: `http://me:${password}@127.0.0.1:1/?sig=${signature}` }).end()
const toFile: Responder = (_, response) =>
  response.writeHead(302, { location: `file:///${signature}` }).end()

const PICTURES = {
  '/car.jpg': pictureOf('car'),
  '/page.jpg': page,
  '/forbidden.jpg': (_: unknown, response: Parameters<Responder>[1]) =>
    response.writeHead(403).end(),
  '/moved.jpg': moved,
  '/to-file.jpg': toFile,
}

/** Lines that fail at once, and some that do not. */
function linesAt(host: string): string[] {
  const at = `http://camera:${password}@${host}`
  const signed = `X-Amz-Algorithm=AWS4&X-Amz-Signature=${signature}`
  return [
    `${at}/car.jpg`,
    `http://${host}/car.jpg?${signed}&frame=7`,
    `http://${host}/car.jpg?sv=2024-01-01&sig=${signature}`,
    `${at}/page.jpg?token=${signature}`,
    `${at}/forbidden.jpg?u=${encodeURIComponent(`https://b.example/a.jpg?${signed}`)}`,
    `${at}/none.jpg`,
    `http://${host}/moved.jpg`,
    `http://${host}/to-file.jpg?${signed}`,
    `http://camera:${PASSWORD}@/car.jpg`,
    `ftp://camera:${password}@${host}/car.jpg`,
    `"${at}/car.jpg?sig=${signature}"`,
    'samples/gate-sedan-front.jpg',
  ]
}

test('no secret is in any output, row or file, whatever failed and whichever command tells of it', async () => {
  await using server = await startImageServer({ ...PICTURES, '/away.jpg': away })
  await using proxy = await startForwardProxy()
  await using place = await createWorkplace({ storage: 's3' })
  await using role = await withOwnRole(place)
  const env = { ...OTHERS, PLATE_API_KEY: KEY, DATABASE_URL: role.url }
  const lines = linesAt(server.host)
  // These are tried again, which takes its time: in one run only.
  const slow = [
    `http://${server.host}/away.jpg`,
    `http://me:${password}@127.0.0.1:1/?sig=${signature}`,
  ]
  const debugged = {
    ...env,
    DEBUG: '*',
    HTTP_PROXY: proxy.url.replace('//', `//me:${encodeURIComponent(PROXY)}@`),
  }
  const json = await place.ingest([...lines, ...slow], ['--failed', 'failed.txt'], {
    env: debugged,
  })
  expect(json.summary).toMatchObject({
    images: 14,
    stored: 1,
    no_plate: 1,
    duplicate: 2,
    failed: 10,
  })
  expect(proxy.passed.length).toBeGreaterThan(0)
  await place.write('images.txt', `${lines.join('\n')}\n`)
  const list = ['--images', 'images.txt']
  const words = await place.run([...list, '--force'], { env })
  const runs = [json, words]
  for (const args of [
    ['migrate'],
    ['enqueue', ...list],
    ['work', '--until-empty', '--delay', '0'],
  ]) {
    runs.push(await place.run(args, { env }))
    // What fails once has failed for good.
    if (args[0] === 'migrate') await place.query('UPDATE pgboss.queue SET retry_limit = 0')
  }
  const others = [
    ['check', '--json'],
    ['status'],
    ['status', '--json'],
    ['verify'],
    ['plates', '--csv'],
    ['report', '-o', 'report.html'],
    ['purge', '--older-than', '0h'],
    ['queue', 'status'],
    ['queue', 'failed', '--json'],
  ]
  for (let at = 0; at < others.length; at += 3) {
    const some = others.slice(at, at + 3).map((args) => place.run(args, { env }))
    runs.push(...(await Promise.all(some)))
  }
  expect(runs.map(({ exitCode }) => exitCode)).not.toContain(2)
  const s3Secret = place.env['AWS_SECRET_ACCESS_KEY'] ?? ''
  await expectNoSecret(place, runs, { s3Secret })
  const kept = await everyCell(place)
  expect(findSecrets(kept, { ...SECRETS, s3Secret })).toEqual([])
  // What is no secret stays: the source can be told by it.
  expect(kept).toContain(`http://${server.host}/car.jpg?frame=7`)
  expect(kept).toContain('pgboss.job')
  // The one place for them is the list that can be used again.
  const failed = await readFile(join(place.folder, 'failed.txt'))
  expect(findSecrets(failed, { SIGNATURE, PASSWORD })).not.toEqual([])
})

test('an embedded database has no secret on the disk, and the files of a run have none', async () => {
  await using server = await startImageServer(PICTURES)
  await using place = await createWorkplace({ database: 'embedded' })
  const env = { ...OTHERS, PLATE_API_KEY: KEY }
  let n = 0
  const body = (text: string) => JSON.stringify({ detail: `${text} license key: ${LICENSE}` })
  place.sandbox.configure({
    fault: () => {
      n += 1
      if (n === 1) return { answer: { results: [], said: `Token ${KEY}` } }
      return { status: 403, body: body(`Token ${KEY} ${encodeURIComponent(KEY)}`) }
    },
  })
  const run = await place.ingest(linesAt(server.host), ['--concurrency', '1'], { env })
  expect([run.exitCode, run.summary.stopped]).toEqual([3, 'api_refused'])
  const files = await expectNoSecret(place, [run])
  // The redacted ones are there: it was the right folder that was read.
  expect(Buffer.concat(files).includes(`${server.host}/page.jpg`)).toBe(true)
  expect(run.stderr).toContain('license key: …')
})

test('a database that goes away has answers wait in a file without secrets, and its password is not told', async () => {
  await using place = await createWorkplace()
  await using role = await withOwnRole(place)
  const tls = await startTlsPostgres(role.url)
  await using server = await startImageServer(PICTURES)
  await place.write('ca.pem', tls.certificate)
  tls.url.search = '?sslmode=verify-full&sslrootcert=ca.pem'
  const env = { ...OTHERS, PLATE_API_KEY: KEY, DATABASE_URL: tls.url.href }
  place.sandbox.configure({
    fault: () => {
      void tls[Symbol.asyncDispose]()
      return { answer: { results: [], said: KEY } }
    },
  })
  const line = `http://camera:${password}@${server.host}/car.jpg?sig=${signature}`
  const run = await place.ingest([line], ['--patience', '0'], { env })
  expect([run.exitCode, run.summary.stopped]).toEqual([3, 'database_down'])
  expect(run.stderr).toContain('1 answer that could not be written is kept in')
  const files = await expectNoSecret(place, [run])
  expect(Buffer.concat(files).includes('"said":"…"')).toBe(true)
})

const AT_NOBODY = `me:${password}@127.0.0.1:1`
const S3_AT_NOBODY = {
  STORE_IMAGES: 's3',
  S3_BUCKET: 'plates',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: PASSWORD,
  AWS_SESSION_TOKEN: SIGNATURE,
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
}

test('servers that are not there, and settings that are wrong, are told without passwords', async () => {
  await using place = await createWorkplace()
  const ingest = (env: Record<string, string>) =>
    place.ingest(['samples/gate-sedan-front.jpg'], ['--retries', '0', '--stop-after', '1'], { env })
  const database = { DATABASE_URL: `postgresql://${AT_NOBODY}/plates` }
  const api = { SNAPSHOT_API_URL: `http://${AT_NOBODY}/` }
  const down = [
    await ingest(database),
    await ingest(api),
    await ingest(S3_AT_NOBODY),
    await ingest({ HTTP_PROXY: `http://${AT_NOBODY}` }),
    await place.run(['check'], { env: { ...database, ...api, ...S3_AT_NOBODY } }),
  ]
  expect(down.map(({ exitCode }) => exitCode)).toEqual([3, 3, 3, 3, 3])
  // Each line of it is wrong in another way, and some are no settings at all.
  const dotenv = [
    `DATABASE_URL=postgresql://me:${PASSWORD}@ 127.0.0.1/plates`,
    `SNAPSHOT_API_URL='htp://me:${PASSWORD}@127.0.0.1:1/'`,
    `AWS_ENDPOINT_URL=http://me:${password}@127.0.0.1:1`,
    `HTTP_PROXY="me:${password}@127.0.0.1:1`,
    `PLATE_API_KEY ${SIGNATURE}`,
    `export PLATE_API_KEY=a b ${SIGNATURE}`,
    'DEBUG=*',
  ]
  await writeFile(join(place.folder, '.env'), dotenv.join('\n'))
  const unset = { DATABASE_URL: '', SNAPSHOT_API_URL: '', PLATE_API_KEY: '' }
  const wrong = await ingest(unset)
  expect(wrong.exitCode).toBe(2)
  for (const name of Object.keys(unset)) expect(wrong.stderr).toContain(name)
  await expectNoSecret(place, [...down, wrong])
})

test('an error that nobody caught is told as a bug, without the secrets that hang on it', async () => {
  await using place = await createWorkplace()
  await place.write(
    'uncaught.mjs',
    `process.once('beforeExit', () => {
      const error = new Error('Cannot use ' + process.env.DATABASE_URL, { cause: process.env })
      throw Object.assign(error, { request: process.env.PLATE_API_KEY })
    })`,
  )
  const env = {
    NODE_OPTIONS: '--import ./uncaught.mjs',
    PLATE_API_KEY: KEY,
    DATABASE_URL: `postgresql://me:${password}@127.0.0.1/plates`,
  }
  const run = await place.run(['--version'], { env })
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toMatch(/^Cannot use postgresql:\/\/me:…@127\.0\.0\.1\/plates \[internal\]\n/)
  expect(run.stderr).toMatch(/at .*uncaught\.mjs/)
  await expectNoSecret(place, [run])
})

test('with NODE_DEBUG, which has Node print what is sent, nothing is started', async () => {
  await using place = await createWorkplace()
  const run = await place.ingest(['samples/gate-sedan-front.jpg'], [], {
    env: { NODE_DEBUG: 'net' },
  })
  expect(run).toMatchObject({ exitCode: 2, stdout: '' })
  expect(run.stderr).toMatch(/^NODE_DEBUG has Node print .* Unset it, then run again/m)
  expect(place.sandbox.lookups).toEqual([])
})
