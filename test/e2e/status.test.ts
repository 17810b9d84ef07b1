import { describe, expect, test, vi } from 'vitest'
import { codeBlock } from '../support/documents.ts'
import { freePort } from '../support/free-port.ts'
import { SAMPLE_ANSWERS } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const SAMPLES = Object.values(SAMPLE_ANSWERS).map(({ file }) => `samples/${file}`)
const NOBODY = `127.0.0.1:${await freePort()}`

/** What differs from run to run, made the same. */
function withoutCircumstances(output: string): string {
  return output
    .replace(/^Database: .*/, 'Database: D')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/g, 'TIME')
    .replace(/^\d{4}-\d\d-\d\d/gm, 'DAY')
    .replace(/ on \S+ \(process \d+\)/g, ' on HOST (process N)')
    .replace(/─+/g, '─')
    .replace(/ {2,}/g, '  ')
}

/** Notes the failures and the summary of a run, where the run did not do so itself. */
async function note(
  { query }: Workplace,
  failed: [source: string, code: string][],
  summary: object,
) {
  for (const failure of failed) {
    await query(
      `INSERT INTO image_failures (source, code, message) VALUES ($1, $2, '') ON CONFLICT DO NOTHING`,
      failure,
    )
  }
  await query('UPDATE ingest_runs SET summary = $1::jsonb WHERE summary IS NULL', [
    JSON.stringify(summary),
  ])
}

describe.each(['server', 'embedded'] as const)('on the %s database', (database) => {
  /** A run over the samples, a file that is missing and one that is no image. */
  async function ingestAll(place: Workplace): Promise<object> {
    await place.write('notes.jpg', 'no image')
    const { summary } = await place.ingest([...SAMPLES, 'missing.jpg', 'notes.jpg'])
    expect(summary).toMatchObject({ images: 13, stored: 10, no_plate: 1, failed: 2, lookups: 11 })
    const failed: [string, string][] = [
      ['missing.jpg', 'file_not_found'],
      ['notes.jpg', 'not_an_image'],
    ]
    await note(place, failed, summary)
    return summary
  }

  test('tells what a run left, and what there is none of has no line', async () => {
    await using place = await createWorkplace({ database })
    await ingestAll(place)
    const { exitCode, stdout, stderr } = await place.run(['status'], { env: { TZ: 'Asia/Tokyo' } })
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Last run: began \S+ \S+ \+09:00 on/m)
    const [, told = '', counts] = /^(.*, finished\n)(.*)$/s.exec(stdout) ?? []
    expect(withoutCircumstances(told)).toBe(`Database: D
11 images known: 11 answered
11 rows
11 lookups

Failed when last tried:
sources  code  newest  what to do
─  ─  ─  ─
  1  file_not_found  TIME  Correct the path; a relative one starts at the working directory of the run.
  1  not_an_image  TIME  Only JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC images are looked up.

Lookups by day (Asia/Tokyo):
day  images  requests
─  ─  ─
DAY  11  11

Last run: began TIME on HOST (process N), finished
`)
    expect(counts).toMatch(
      /^ {2}13 images in .* s\n {4}10 stored\n {5}1 without a plate\n {5}2 failed\n {2}11 rows/,
    )
  })

  test('tells the same as one line of JSON', async () => {
    await using place = await createWorkplace({ database })
    const summary = await ingestAll(place)
    const { exitCode, records } = await place.run(['status', '--json'])
    expect(exitCode).toBe(0)
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const day = expect.stringMatching(/^\d{4}-\d\d-\d\d$/)
    const run = { host: expect.any(String), process_id: expect.any(Number) }
    expect(records).toEqual([
      {
        event: 'status',
        database: expect.stringContaining(database === 'server' ? 'PostgreSQL "test_' : 'embedded'),
        is_there: true,
        ...{ images: 11, answered: 11, rows: 11 },
        failed: { total: 2, by_code: { file_not_found: 1, not_an_image: 1 } },
        lookups: {
          ...{ total: 11, requests: 11, time_zone: expect.any(String) },
          by_day: [{ day, images: 11, requests: 11, uncertain: 0 }],
        },
        ...{ uncertain: 0, unsettled: 0 },
        runs: {
          last: { state: 'finished', ...run, started_at: time, last_seen_at: time, summary },
          under_way: [],
        },
      },
    ])
  })

  test('tells of a run that was killed, and of the images it had at work', async () => {
    await using place = await createWorkplace({ database, sandbox: { fault: () => 'hang' } })
    const running = await place.startIngest(await place.draw(...names(2)))
    await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(2), { timeout: 30_000 })
    running.kill('SIGKILL')
    await running.ended
    await place.query('UPDATE plate_lookups SET asking_since = now() WHERE claimed_by IS NOT NULL')
    const { exitCode, stdout } = await place.run(['status'])
    expect(exitCode).toBe(0)
    expect(withoutCircumstances(stdout)).toBe(`Database: D
2 images known: 2 waiting for an answer

Last run: began TIME on HOST (process N), cut off; its last sign of life was TIME
  2 images left unfinished, 2 requests may have been billed
`)
  })

  test('needs neither an API key nor a bucket', async () => {
    await using place = await createWorkplace({ database })
    const env = { PLATE_API_KEY: '', STORE_IMAGES: 's3', S3_BUCKET: '' }
    expect((await place.run(['status'], { env })).exitCode).toBe(0)
    expect(place.sandbox.lookups).toEqual([])
  })

  test('finds the failed sources with the documents’ query, too', async () => {
    await using place = await createWorkplace({ database })
    await ingestAll(place)
    expect(await place.query(codeBlock('FROM image_failures'))).toMatchObject([
      { source: 'missing.jpg', code: 'file_not_found' },
      { source: 'notes.jpg', code: 'not_an_image' },
    ])
  })
})

test('a run under way on a server is told with what it has done so far', async () => {
  await using place = await createWorkplace({ sandbox: { fault: () => 'hang' } })
  const running = await place.startIngest(await place.draw(...names(2)))
  await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(2), { timeout: 30_000 })
  const words = await place.run(['status'])
  const { records } = await place.run(['status', '--json'])
  running.kill('SIGKILL')
  await running.ended
  expect(words.stdout).toMatch(
    new RegExp(`^Last run: began .* on \\S+ \\(process ${running.pid}\\), under way$`, 'm'),
  )
  expect(words.stdout).toMatch(/^ {2}2 images at work$/m)
  const run = { state: 'under_way', process_id: running.pid, at_work: 2, summary: null }
  expect(records).toMatchObject([{ runs: { last: run, under_way: [run] } }])
})

test('an embedded database that a run holds is not looked into', async () => {
  await using place = await createWorkplace({
    database: 'embedded',
    sandbox: { fault: () => 'hang' },
  })
  const running = await place.startIngest(await place.draw(...names(1)))
  await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(1), { timeout: 30_000 })
  const { exitCode, stderr } = await place.run(['status'])
  running.kill('SIGKILL')
  await running.ended
  expect(exitCode).toBe(3)
  expect(stderr).toContain('[folder_locked]')
  expect(stderr).toContain(String(running.pid))
})

test('an embedded database that is not there yet is not made', async () => {
  await using place = await createWorkplace({ database: 'embedded', isNew: true })
  const words = await place.run(['status'])
  expect([words.exitCode, words.stdout]).toEqual([
    0,
    'the embedded database in ./plate-snapshot-data is not there yet; the first run makes it.\n',
  ])
  const { records } = await place.run(['status', '--json'])
  expect(records).toMatchObject([
    { event: 'status', is_there: false, images: 0, runs: { last: null } },
  ])
  await expect(place.query('SELECT 1 FROM plate_lookups')).rejects.toThrow()
})

test('what other hosts wrote reaches the terminal without its control characters', async () => {
  await using place = await createWorkplace()
  await place.query(
    `INSERT INTO ingest_runs (id, machine, process_id, process_started, ended_at, summary)
     VALUES (gen_random_uuid(), $1, 7, '', now(), $2)`,
    ['gate\x1b[2J id boot pid', JSON.stringify({ images: 1, stopped: 'x\x07y' })],
  )
  const { stdout } = await place.run(['status'])
  expect(stdout).toContain(' on gate\\x1b[2J (process 7), stopped early [x\\x07y].\n')
  expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
})

test.each<[what: string, env: Record<string, string>, exit: number, said: string]>([
  ['is down', { DATABASE_URL: `postgresql://${NOBODY}/plates` }, 3, '[database_down]'],
  ['is named wrongly', { DATABASE_URL: 'mysql://here' }, 2, 'DATABASE_URL'],
])('a database that %s is told with its exit code', async (_what, env, exit, said) => {
  await using place = await createWorkplace()
  const { exitCode, stdout, stderr } = await place.run(['status'], { env })
  expect([exitCode, stdout]).toEqual([exit, ''])
  expect(stderr).toContain(said)
})

test('a server database without the tables is told with the command that makes them', async () => {
  await using place = await createWorkplace({ isMigrated: false })
  const { exitCode, stderr } = await place.run(['status', '--json'])
  expect(exitCode).toBe(3)
  expect(stderr).toContain('[schema_missing]\nRun: plate-snapshot migrate')
})
