import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { RunningCli } from '../support/cli.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import type { Restartable } from '../support/restartable.ts'
import { startOwnS3 } from '../support/s3.ts'
import { answersFor, pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

// Only on a server: the embedded database lives in the process and cannot go away.

const PATIENCE = { timeout: 60_000, interval: 20 }
const AWAY = /cannot be reached.* Waiting up to/

let postgres: PostgresServer & Restartable & AsyncDisposable
beforeAll(async () => {
  postgres = await startPostgres('newest')
})
afterAll(() => postgres[Symbol.asyncDispose]())

function platesOf(pictures: readonly string[]) {
  return answersFor(Object.fromEntries(pictures.map((name, n) => [name, [[`abc${n}`, 0.9]]])))
}

/** A workplace on the server that goes away, with pictures that show a plate each. */
async function createPlace(pictures: readonly string[], latencyMs: number) {
  const sandbox = { answers: platesOf(pictures), latencyMs }
  const place = await createWorkplace({ postgresUrl: postgres.url, sandbox })
  await place.draw(...pictures)
  return place
}

function billed({ sandbox }: Workplace, lookups: number) {
  return vi.waitFor(() => expect(sandbox.billedCount()).toBeGreaterThanOrEqual(lookups), PATIENCE)
}

/** The files in which answers wait. */
async function spoolFiles({ folder }: Workplace): Promise<string[]> {
  const state = join(folder, '.local/state/plate-snapshot')
  const found = await readdir(state).catch(() => [])
  return found.map((name) => join(state, name))
}

/** Each image has its row, and was paid for once. */
async function expectEachOnce(place: Workplace, pictures: readonly string[]) {
  const rows = await vi.waitFor(
    () => place.query('SELECT plate_text FROM vehicle_snapshots ORDER BY plate_text'),
    PATIENCE,
  )
  const plates = pictures.map((_, n) => ({ plate_text: `abc${n}` }))
  const byText = (a: { plate_text: string }, b: { plate_text: string }) =>
    a.plate_text < b.plate_text ? -1 : 1
  expect(rows).toEqual(plates.sort(byText))
  for (const name of pictures) {
    expect(place.sandbox.billedCount(sha256Of(pictureOf(name))), name).toBe(1)
  }
}

test('PostgreSQL and the S3 server are restarted twice each in the middle of a run, and nothing is lost', async () => {
  const pictures = names(150)
  await using s3 = await startOwnS3()
  const sandbox = { answers: platesOf(pictures), latencyMs: 100 }
  await using place = await createWorkplace({
    ...{ storage: 's3', postgresUrl: postgres.url, s3, sandbox },
  })
  const running = await place.startIngest(await place.draw(...pictures))
  for (const server of [postgres, s3, postgres, s3]) {
    await billed(place, place.sandbox.billedCount() + 16)
    await server.down()
    await server.up()
  }
  const { exitCode, summary } = await running.ended
  expect(summary).toMatchObject({ images: 150, stored: 150, failed: 0, stopped: null })
  expect([exitCode, summary.lookups]).toEqual([0, 150])
  await expectEachOnce(place, pictures)
  expect(await spoolFiles(place)).toEqual([])
  expect((await place.run(['verify', '--read-data'])).exitCode).toBe(0)
})

test('an S3 server that is away is waited for, no lookup is begun meanwhile, and it is told', async () => {
  const pictures = names(40)
  await using s3 = await startOwnS3()
  const sandbox = { answers: platesOf(pictures), latencyMs: 50 }
  await using place = await createWorkplace({
    ...{ storage: 's3', postgresUrl: postgres.url, s3, sandbox },
  })
  const running = await place.startIngest(await place.draw(...pictures))
  await billed(place, 8)
  await s3.down()
  await running.untilSaid(/could not be stored in s3:.* Waiting up to 60 s for it/)
  await s3.up()
  await running.untilSaid(/s3:\S+ at \S+ is back after [\d.]+ s\./)
  const { exitCode, summary } = await running.ended
  expect([exitCode, summary.stored]).toEqual([0, 40])
})

test('an S3 server that stays away stops the run with storage_down, and the next run goes on', async () => {
  const pictures = names(30)
  await using s3 = await startOwnS3()
  const sandbox = { answers: platesOf(pictures), latencyMs: 50 }
  await using place = await createWorkplace({
    ...{ storage: 's3', postgresUrl: postgres.url, s3, sandbox },
  })
  const lines = await place.draw(...pictures)
  const running = await place.startIngest(lines, ['--patience', '0.2'])
  await billed(place, 8)
  await s3.down()
  const { exitCode, summary, stderr } = await running.ended
  expect([exitCode, summary.stopped, summary.failed]).toEqual([3, 'storage_down', 0])
  expect(stderr).toMatch(/\[storage_down\]\nCheck AWS_ENDPOINT_URL/)
  expect(stderr).toContain(`${30 - summary.images} lines of the list are left.`)
  await s3.up()
  const second = await place.ingest(lines)
  expect([second.exitCode, second.summary.lookups]).toEqual([0, 30 - summary.images])
  await expectEachOnce(place, pictures)
})

describe('while PostgreSQL is away', () => {
  const pictures = names(20)
  const flags = ['--concurrency', '4']

  /** A run whose database goes away while four lookups are in flight, which are then answered. */
  async function startAndCut(place: Workplace, more: readonly string[] = []): Promise<RunningCli> {
    const running = await place.startIngest(pictures, [...flags, ...more])
    await billed(place, 4)
    await postgres.down()
    return running
  }

  test('lookups pause, and paid answers wait on the disk and are written when it is back', async () => {
    await using place = await createPlace(pictures, 500)
    const running = await startAndCut(place)
    await vi.waitFor(async () => expect(await spoolFiles(place)).toHaveLength(1), PATIENCE)
    await running.untilSaid(AWAY)
    expect(place.sandbox.billedCount()).toBeLessThanOrEqual(8)
    await postgres.up()
    const { exitCode, summary, stderr } = await running.ended
    expect([exitCode, summary.stored, summary.lookups]).toEqual([0, 20, 20])
    expect(stderr).toMatch(/is back after [\d.]+ s\./)
    await expectEachOnce(place, pictures)
    expect(await spoolFiles(place)).toEqual([])
  })

  test('for longer than --patience the run stops, and the next one reads in what was paid for', async () => {
    await using place = await createPlace(pictures, 500)
    const running = await startAndCut(place, ['--patience', '0.3'])
    const { exitCode, summary, stderr, images } = await running.ended
    await postgres.up()
    const [file = ''] = await spoolFiles(place)
    expect([exitCode, summary.stopped]).toEqual([3, 'database_down'])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const paid = images.filter(({ error }) => error?.code === 'database_down')
    expect(stderr).toContain(
      `${paid.length} answers that could not be written are kept in ${file}; the next run of this user on this database reads them in first.`,
    )
    expect(summary).toMatchObject({ failed: paid.length, lookups: place.sandbox.billedCount() })

    const lines = ['--images', 'images.txt', '--json', '--delay', '0']
    const preview = await place.run([...lines, '--dry-run'])
    expect(preview.summary.would_look_up).toBe(20 - place.sandbox.billedCount())
    const second = await place.run(lines)
    expect(second.stderr).toContain(
      `${paid.length} answers that earlier runs had paid for and could not write: written now, and not asked again.`,
    )
    expect(second.exitCode).toBe(0)
    expect(second.summary.lookups).toBe(preview.summary.would_look_up)
    await expectEachOnce(place, pictures)
    expect(await spoolFiles(place)).toEqual([])
    expect((await place.run(['verify'])).exitCode).toBe(0)
  })

  test('a run that waits for the answers of another waits the outage out, too', async () => {
    await using place = await createPlace(pictures, 500)
    const first = await startAndCut(place)
    await postgres.up()
    const second = await place.startIngest(pictures, flags)
    await second.untilSaid(/Database: /)
    for (let restarts = 0; restarts < 2; restarts += 1) {
      await billed(place, place.sandbox.billedCount() + 2)
      await postgres.down()
      await Promise.all([first.untilSaid(AWAY), second.untilSaid(AWAY)])
      await postgres.up()
    }
    const ended = await Promise.all([first.ended, second.ended])
    for (const { exitCode, stderr } of ended) {
      expect(exitCode, stderr).toBe(0)
      expect(stderr).not.toContain('Warning')
    }
    await expectEachOnce(place, pictures)
  })

  test('a kill -9 loses no paid answer', async () => {
    await using place = await createPlace(pictures, 300)
    const running = await startAndCut(place)
    await vi.waitFor(async () => expect(await spoolFiles(place)).toHaveLength(1), PATIENCE)
    await running.untilSaid(AWAY)
    running.kill('SIGKILL')
    await running.ended
    await postgres.up()
    const asked = place.sandbox.billedCount()
    const second = await place.ingest(pictures)
    expect([second.exitCode, second.summary.failed]).toEqual([0, 0])
    // What was in flight at the kill, and not yet on the disk, is asked again.
    expect(place.sandbox.billedCount()).toBeLessThanOrEqual(20 + 4)
    expect(second.summary.lookups).toBeLessThanOrEqual(20 + 4 - asked)
  })

  test('an interruption waits for --grace at most, and the answers are kept', async () => {
    await using place = await createPlace(pictures, 300)
    const running = await startAndCut(place, ['--grace', '0.3'])
    await running.untilSaid(AWAY)
    running.kill('SIGTERM')
    const { exitCode, summary, stderr } = await running.ended
    await postgres.up()
    expect([exitCode, summary.stopped]).toEqual([143, 'interrupted'])
    expect(stderr).toMatch(/answers? that could not be written (is|are) kept in /)
    const second = await place.ingest(pictures)
    expect(second.exitCode).toBe(0)
    await expectEachOnce(place, pictures)
  })

  test('a second signal ends the run at once, and the answers are kept', async () => {
    await using place = await createPlace(pictures, 300)
    const running = await startAndCut(place)
    await vi.waitFor(async () => expect(await spoolFiles(place)).toHaveLength(1), PATIENCE)
    await vi.waitFor(() => {
      running.kill('SIGINT')
      expect(running.hasEnded()).toBe(true)
    }, PATIENCE)
    expect((await running.ended).exitCode).toBe(130)
    await postgres.up()
    const second = await place.ingest(pictures)
    expect([second.exitCode, second.summary.failed]).toEqual([0, 0])
  })
})

test('a spool folder that cannot be written is told, and the answers stay in memory', async () => {
  const pictures = names(8)
  await using place = await createPlace(pictures, 300)
  await place.write('occupied', 'a file, not a folder')
  place.env['XDG_STATE_HOME'] = join(place.folder, 'occupied')
  const running = await place.startIngest(pictures)
  await running.untilSaid(/occupied\S+ cannot be used: .*\. Set XDG_STATE_HOME to a folder/)
  await billed(place, 8)
  await postgres.down()
  await running.untilSaid(/occupied\S+ cannot be used: .* The answer to .+ is in memory only\./)
  await postgres.up()
  const { exitCode, summary } = await running.ended
  expect([exitCode, summary.stored]).toEqual([0, 8])
  await expectEachOnce(place, pictures)
})
