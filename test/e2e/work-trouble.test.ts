import { expect, test, vi } from 'vitest'
import { startHttpServer } from '../support/http-server.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const PATIENCE = { timeout: 30_000 }
const UNTIL_EMPTY = ['work', '--until-empty', '--delay', '0', '--json']

async function createQueuePlace(): Promise<Workplace> {
  const place = await createWorkplace()
  expect((await place.run(['migrate'])).exitCode).toBe(0)
  return place
}

async function put({ run }: Workplace, lines: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await run(['enqueue', '--images', '-'], { input: lines.join('\n') })
  expect(exitCode, stderr).toBe(0)
}

test('the link of a job whose worker was killed right after it is forgotten by the next worker', async () => {
  await using place = await createQueuePlace()
  await using server = await startHttpServer((request, response) => {
    if (request.url?.startsWith('/no')) response.writeHead(403).end()
    else response.writeHead(200, { 'content-type': 'image/jpeg' }).end(pictureOf('a'))
  })
  const link = (name: string) =>
    `${server.url.replace('//', '//me:s3cr3tpassword@')}/${name}?X-Amz-Signature=s3cr3tsignature`
  await put(place, [link('yes.jpg'), link('no.jpg')])
  const worker = await place.start(['work', '--delay', '0'])
  const done = "SELECT 1 FROM pgboss.job WHERE name = 'plate-snapshot' AND state >= 'completed'"
  await vi.waitFor(async () => expect(await place.query(done)).toHaveLength(2), PATIENCE)
  worker.kill('SIGKILL')
  await worker.ended

  expect((await place.run(UNTIL_EMPTY)).exitCode).toBe(0)
  const kept = JSON.stringify(
    await place.query("SELECT j::text FROM pgboss.job j WHERE name = 'plate-snapshot'"),
  )
  expect(kept).toContain(`${server.url}/yes.jpg`)
  expect(kept).not.toContain('s3cr3t')
})

test('a job that another program put is given back as that program put it', async () => {
  await using place = await createQueuePlace()
  place.sandbox.configure({ latencyMs: 300 })
  const lines = await place.draw(...names(6))
  await put(place, lines)
  await place.query(
    "UPDATE pgboss.job SET singleton_key = 'mine ' || (data->>'line'), priority = 7, retry_limit = 2",
  )
  const worker = await place.start(['work', '--delay', '0.4'])
  await vi.waitFor(() => expect(place.sandbox.lookups.length).toBe(1), PATIENCE)
  worker.kill('SIGTERM')
  expect((await worker.ended).exitCode).toBe(143)
  const waiting = await place.query<{ singleton_key: string; line: number }>(
    "SELECT singleton_key, (data->>'line')::int AS line, priority, retry_limit, retry_count FROM pgboss.job WHERE state = 'created'",
  )
  expect(waiting.length).toBeGreaterThan(2)
  for (const { line, ...job } of waiting) {
    expect(job).toEqual({
      ...{ singleton_key: `mine ${line}`, priority: 7, retry_limit: 2, retry_count: 0 },
    })
  }
})

test('a role that may not take jobs is told so, and the worker ends', async () => {
  await using place = await createQueuePlace()
  await put(place, await place.draw(...names(1)))
  const role = `reader_${process.pid}`
  await place.query(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`)
  try {
    for (const right of [
      'USAGE ON SCHEMA public, pgboss',
      'ALL ON ALL TABLES IN SCHEMA public',
      'SELECT ON ALL TABLES IN SCHEMA pgboss',
    ]) {
      await place.query(`GRANT ${right} TO ${role}`)
    }
    const url = new URL(place.env['DATABASE_URL'] ?? '')
    url.username = role
    url.password = 'pw'
    const end = await place.run(UNTIL_EMPTY, { env: { DATABASE_URL: url.href } })
    expect(end.exitCode).toBe(3)
    expect(end.stderr).toMatch(/refuses: permission denied .* \[database_down\]/)
    expect(end.summary).toMatchObject({ images: 0, stopped: 'database_down' })
  } finally {
    await place.query(`DROP OWNED BY ${role}`)
    await place.query(`DROP ROLE ${role}`)
  }
})

test('a role that may not make a schema is told what its owner has to do, and that does', async () => {
  await using place = await createWorkplace()
  const role = `maker_${process.pid}`
  await place.query(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`)
  try {
    await place.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`)
    const owning = await place.query<{ sql: string }>(
      `SELECT format('ALTER TABLE %I OWNER TO ${role}', tablename) AS sql FROM pg_tables WHERE schemaname = 'public'`,
    )
    for (const { sql } of owning) await place.query(sql)
    await place.query(`GRANT ALL ON SCHEMA public TO ${role}`)
    await place.query(`ALTER FUNCTION plate_snapshot_is_purged OWNER TO ${role}`)
    const url = new URL(place.env['DATABASE_URL'] ?? '')
    url.username = role
    url.password = 'pw'
    const env = { DATABASE_URL: url.href }
    const refused = await place.run(['migrate'], { env })
    expect(refused.exitCode, refused.stderr).toBe(0)
    expect(refused.stderr).toMatch(/Have its owner run: CREATE SCHEMA pgboss AUTHORIZATION/)
    await place.query(`CREATE SCHEMA pgboss AUTHORIZATION ${role}`)
    const made = await place.run(['migrate'], { env })
    expect(made.stderr).toBe('')
    expect(made.stdout).toContain('The queue of enqueue and work is made.')
  } finally {
    await place.query(`DROP OWNED BY ${role}`)
    await place.query(`DROP ROLE ${role}`)
  }
})

test('a worker whose connections are cut again and again goes on', async () => {
  await using place = await createQueuePlace()
  await put(place, await place.draw(...names(20)))
  const worker = await place.start(['work', '--delay', '0.2', '--json', '--until-empty'])
  for (let requests = 1; requests <= 20; requests += 1) {
    await vi.waitFor(
      () => expect(place.sandbox.lookups.length).toBeGreaterThanOrEqual(requests),
      PATIENCE,
    )
    await place.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'plate-snapshot'",
    )
  }
  const end = await worker.ended
  expect(end.exitCode, end.stderr).toBe(0)
  expect(end.summary).toMatchObject({ no_plate: 20, failed: 0 })
  expect(place.sandbox.billedCount()).toBe(20)
})
