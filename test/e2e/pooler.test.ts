import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import type { SandboxOptions } from '../../src/sandbox/options.ts'
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, ENDLESS, IS_BUSY, names, type Workplace } from '../support/workplace.ts'

const NOT_INSTALLED = 'pgbouncer is not installed (apt-get install pgbouncer)'
const PATIENCE = { timeout: 30_000 }
const FLAGS = ['--concurrency', '16']

let installed: PgBouncer | undefined

beforeAll(async () => {
  installed = await startPgBouncer(inject('postgresUrl'))
})
afterAll(() => installed?.[Symbol.asyncDispose]())

/** A workplace whose commands reach the database through the pooler only; `migrate` was the first of them. */
async function createPooledWorkplace(
  pooler: PgBouncer,
  sandbox: SandboxOptions,
): Promise<Workplace> {
  const place = await createWorkplace({ isMigrated: false, sandbox })
  place.env['DATABASE_URL'] = pooler.through(place.env['DATABASE_URL'] ?? '')
  const { exitCode, stderr } = await place.run(['migrate'])
  expect([exitCode, stderr]).toEqual([0, ''])
  return place
}

test('two runs at once through PgBouncer in transaction mode share a list and bill each image once', async ({
  skip,
}) => {
  const pooler = installed ?? skip(NOT_INSTALLED)
  await using place = await createPooledWorkplace(pooler, { latencyMs: [20, 50] })
  const lines = await place.draw(...names(60))
  const runs = await Promise.all([place.ingest(lines, FLAGS), place.ingest(lines, FLAGS)])
  expect(runs.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
    [0, expect.not.stringContaining('rror')],
    [0, expect.not.stringContaining('rror')],
  ])
  const [one, other] = runs.map(({ summary }) => summary)
  expect((one?.no_plate ?? 0) + (other?.no_plate ?? 0)).toBe(60)
  expect((one?.duplicate ?? 0) + (other?.duplicate ?? 0)).toBe(60)
  for (const name of lines) expect(place.sandbox.billedCount(sha256Of(pictureOf(name)))).toBe(1)
  expect(place.sandbox.lookups).toHaveLength(60)
})

test('two workers through PgBouncer in transaction mode share a queue and bill each image once', async ({
  skip,
}) => {
  const pooler = installed ?? skip(NOT_INSTALLED)
  await using place = await createPooledWorkplace(pooler, { latencyMs: [20, 50] })
  await place.write('images.txt', (await place.draw(...names(60))).join('\n'))
  expect((await place.run(['enqueue', '--images', 'images.txt'])).stdout).toBe('60 new jobs.\n')
  const args = ['work', '--until-empty', '--json', '--delay', '0', ...FLAGS]
  const ends = await Promise.all([place.run(args), place.run(args)])
  expect(ends.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
    [0, expect.not.stringContaining('rror')],
    [0, expect.not.stringContaining('rror')],
  ])
  expect(ends.reduce((sum, { summary }) => sum + summary.no_plate, 0)).toBe(60)
  expect(place.sandbox.lookups).toHaveLength(60)
})

test('while the API answers, no connection of the pool is held', async ({ skip }) => {
  const pooler = installed ?? skip(NOT_INSTALLED)
  await using place = await createPooledWorkplace(pooler, { fault: () => 'hang' })
  const lines = await place.draw(...names(16))
  const running = await place.startIngest(lines, FLAGS)
  // Four times as many as the pool has connections: none of them can be in a transaction.
  await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(16), PATIENCE)
  const connections = () => pooler.connections(place.env['DATABASE_URL'] ?? '')
  await vi.waitFor(async () => {
    const { open, ...others } = await connections()
    expect(others).toEqual({ held: 0, waiting: 0 })
    expect(open).toBeGreaterThan(0)
    expect(open).toBeLessThanOrEqual(pooler.poolSize)
  }, PATIENCE)
  expect(running.hasEnded()).toBe(false)

  running.kill('SIGKILL')
  await running.ended
  place.sandbox.configure({ fault: undefined })
  const { exitCode, summary } = await place.ingest(lines, FLAGS)
  expect(exitCode).toBe(0)
  expect(summary).toMatchObject({ images: 16, no_plate: 16, lookups: 16 })
})

test('a query that is interrupted is ended behind the pooler, too', async ({ skip }) => {
  const pooler = installed ?? skip(NOT_INSTALLED)
  await using place = await createPooledWorkplace(pooler, {})
  const running = await place.start(['query', ENDLESS])
  await vi.waitFor(async () => expect(await place.query(IS_BUSY)).toHaveLength(1), PATIENCE)
  running.kill('SIGINT')
  expect((await running.ended).exitCode).toBe(130)
  await vi.waitFor(async () => expect(await place.query(IS_BUSY)).toEqual([]), PATIENCE)
})
