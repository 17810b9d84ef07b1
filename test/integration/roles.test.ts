import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TAKE_BACK } from '../../src/db/ledger-statements.ts'
import { openServerDatabase } from '../../src/db/server.ts'
import { codeBlock } from '../support/documents.ts'
import { runInProcess, type Said } from '../support/in-process.ts'
import { createQueuedWorkplace } from '../support/queues.ts'
import { pictureOf, sha256Of } from '../support/sample-pictures.ts'
import type { Workplace } from '../support/workplace.ts'

const PASSWORD = 'pw'
/** Roles are the server's, and other tests run on it. */
const SUFFIX = `_${process.pid}`
const ROLES = ['plates_ingest', 'plates_read'] as const
const GRANTS = {
  plates_ingest: codeBlock('CREATE ROLE plates_ingest '),
  plates_read: codeBlock('CREATE ROLE plates_read '),
}

let place: Workplace
beforeAll(async () => {
  place = await createQueuedWorkplace()
  for (const role of ROLES) {
    await place.query(GRANTS[role].replaceAll(role, role + SUFFIX))
    await place.query(`ALTER ROLE ${role}${SUFFIX} PASSWORD '${PASSWORD}'`)
  }
})
afterAll(async () => {
  for (const role of ROLES) {
    await place.query(`DROP OWNED BY ${role}${SUFFIX}`)
    await place.query(`DROP ROLE ${role}${SUFFIX}`)
  }
  await place[Symbol.asyncDispose]()
})

function urlOf(role: (typeof ROLES)[number]): string {
  const url = new URL(place.env['DATABASE_URL'] ?? '')
  url.username = role + SUFFIX
  url.password = PASSWORD
  return url.href
}

function as(role: (typeof ROLES)[number]) {
  const env = { ...place.env, DATABASE_URL: urlOf(role) }
  return (args: readonly string[], input = ''): Promise<Said> => runInProcess(args, env, { input })
}

const INGEST = ['--images', '-', '--delay', '0']
const SAMPLE = '/samples/gate-sedan-front.jpg'

async function countRows(): Promise<unknown> {
  const [counts] = await place.query(
    'SELECT (SELECT count(*)::int FROM vehicle_snapshots) AS rows, (SELECT count(*)::int FROM plate_lookups) AS images',
  )
  return counts
}

function expectRefused({ exitCode, text }: Said, what: string): void {
  expect(exitCode, `${what}: ${text}`).toBe(3)
  expect(text, what).toMatch(/refuses: (permission denied|must be owner) .* \[database_down\]/)
  expect(text, what).toMatch(/The role in DATABASE_URL may not do this/)
}

test('the role that ingests does all that ingesting takes, and neither migrates nor purges', async () => {
  const run = as('plates_ingest')
  const [other = ''] = await place.draw('other.jpg')
  const list = [place.folder + SAMPLE, join(place.folder, other), '/none.jpg'].join('\n')
  const done: [args: string[], exitCode: number, input?: string][] = [
    [INGEST, 1, list],
    [[...INGEST, '--reread'], 1, list],
    [[...INGEST, '--force', '--mmc', '--confidence-threshold', '1'], 1, list],
    [['reprocess', '--confidence-threshold', '0', '--quiet'], 0],
    [['verify'], 0],
    [['verify', '--repair', '--read-data'], 0],
    [['status'], 0],
    [['plates'], 0],
    [['enqueue', '--images', '-'], 0, `${place.folder}${SAMPLE}\nftp://no`],
    [['work', '--until-empty', '--delay', '0'], 1],
    [['queue', 'status'], 0],
    [['queue', 'pace', '0.1'], 0],
    [['queue', 'retry-failed'], 0],
    [['queue', 'clear', '--yes'], 0],
    [['check'], 0],
  ]
  for (const [args, exitCode, input] of done) {
    const said = await run(args, input)
    expect(said.exitCode, `${args}: ${said.text}`).toBe(exitCode)
    expect(said.text, String(args)).not.toMatch(/permission denied/)
  }
  const before = await countRows()
  expect(before).toEqual({ rows: 1, images: 2 })
  for (const args of [['migrate'], ['purge', '--older-than', '0d', '--yes']]) {
    expectRefused(await run(args), String(args))
  }
  expect(await countRows()).toEqual(before)
  const [may] = await place.query(
    "SELECT has_schema_privilege($1, 'public', 'CREATE') OR has_schema_privilege($1, 'pgboss', 'CREATE') AS create",
    [`plates_ingest${SUFFIX}`],
  )
  expect(may).toEqual({ create: false })
})

test('each right of the role that ingests is needed', async () => {
  const run = as('plates_ingest')
  const role = `plates_ingest${SUFFIX}`
  const database = openServerDatabase(urlOf('plates_ingest'), 1)
  const rights = await place.query<{ privilege: string; table: string }>(
    `SELECT privilege_type AS privilege, table_name AS table FROM information_schema.role_table_grants
     WHERE grantee = $1 AND table_schema = 'public' ORDER BY 2, 1`,
    [role],
  )
  expect(rights.length).toBeGreaterThan(20)
  const drawn = await place.draw('other.jpg', 'purged.jpg')
  const pictures = [...drawn, SAMPLE].map((name) => join(place.folder, name))
  const list = [...pictures, '/none.jpg'].join('\n')
  const isNeeded = async () => {
    await place.query(
      'TRUNCATE plate_lookups, vehicle_snapshots, image_sources, image_failures, ingest_runs, api_pace',
    )
    for (const flags of [
      ['--delay', '0.01'],
      ['--reread'],
      ['--force', '--mmc', '--confidence-threshold', '1'],
    ]) {
      if ((await run([...INGEST, ...flags], list)).text.includes('permission denied')) return true
    }
    // What a run does only when an image is purged under its hands.
    const isRefused = await database.query(TAKE_BACK, ['{}']).then(
      () => false,
      () => true,
    )
    if (isRefused) return true
    // That a failure could not be noted fails nothing.
    const [noted] = await place.query<{ times: number }>('SELECT times FROM image_failures')
    return noted?.times !== 3
  }
  await place.query('INSERT INTO purged_images (image_sha256) VALUES ($1)', [
    sha256Of(pictureOf('purged.jpg')),
  ])
  expect(await isNeeded()).toBe(false)
  for (const { privilege, table } of rights) {
    await place.query(`REVOKE ${privilege} ON ${table} FROM ${role}`)
    expect(await isNeeded(), `${privilege} on ${table}`).toBe(true)
    await place.query(`GRANT ${privilege} ON ${table} TO ${role}`)
  }
  await database.close()
})

test('the role that reads sees everything and changes nothing, and an ingest of its spends nothing', async () => {
  const run = as('plates_read')
  await runInProcess(INGEST, place.env, { input: place.folder + SAMPLE })
  const [row] = await place.query<{ id: string }>('SELECT id FROM vehicle_snapshots LIMIT 1')
  const output = join(place.folder, 'out')
  for (const args of [
    ['status'],
    ['plates', '--csv'],
    ['query', 'SELECT count(*) FROM plate_lookups'],
    ['image', row?.id ?? '', '-o', output],
    ['report', '--output', output],
    ['verify'],
    ['queue', 'status'],
    ['queue', 'failed'],
  ]) {
    const said = await run(args)
    expect(said.exitCode, `${args}: ${said.text}`).toBe(0)
  }
  const before = await countRows()
  const asked = place.sandbox.lookups.length
  const [fresh = ''] = await place.draw('fresh.jpg')
  const list = join(place.folder, fresh)
  for (const args of [
    INGEST,
    ['reprocess', '--confidence-threshold', '1'],
    ['enqueue', '--images', '-'],
    ['work', '--until-empty', '--delay', '0'],
    ['purge', '--older-than', '0d', '--yes'],
    ['migrate'],
  ]) {
    expectRefused(await run(args, list), String(args))
  }
  expect(place.sandbox.lookups).toHaveLength(asked)
  expect(await countRows()).toEqual(before)
})
