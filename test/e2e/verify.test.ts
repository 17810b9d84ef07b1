import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startS3GoBetween } from '../support/s3-go-between.ts'
import { answersFor, pictureOf, SAMPLE_ANSWERS, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace, type WorkplaceOptions } from '../support/workplace.ts'

const LINES = Object.values(SAMPLE_ANSWERS).map(({ file }) => `samples/${file}`)

interface Problem {
  event: 'problem'
  code: string
  sha256: string | null
  key: string | null
  source: string | null
  message: string
  repaired: boolean
}

/** `verify --json`, which never looks up: its exit code, its problems, and its last line. */
async function verify(place: Workplace, ...flags: string[]) {
  const lookups = place.sandbox.lookups.length
  const result = await place.run(['verify', '--json', ...flags])
  const records = result.records as Record<string, unknown>[]
  const last = records.pop()
  expect(last, result.stderr).toMatchObject({ event: 'verified' })
  expect(place.sandbox.lookups).toHaveLength(lookups)
  return { ...result, last, problems: records as unknown as Problem[] }
}

const codesOf = (problems: Problem[]) => problems.map(({ code }) => code).sort()

async function expectClean(place: Workplace, counts: object = {}) {
  const { exitCode, problems, last } = await verify(place, '--read-data')
  expect(problems).toEqual([])
  expect([exitCode, last]).toEqual([
    0,
    expect.objectContaining({ problems: 0, repaired: 0, unread: 0, stopped: null, ...counts }),
  ])
}

const SETUPS: [name: string, options: WorkplaceOptions, objects: number][] = [
  ['a server database and S3', { database: 'server', storage: 's3' }, 11],
  ['a server database that keeps the images', { database: 'server', storage: 'db' }, 0],
  ['the embedded database', { database: 'embedded', storage: 'db' }, 0],
]

describe.each(SETUPS)('on %s', (_name, options, objects) => {
  test('what was just ingested is sound, with and without reading the bytes, at every threshold', async () => {
    await using place = await createWorkplace(options)
    await place.ingest([...LINES, 'samples/none.jpg'], ['--confidence-threshold', '0.9'])
    await expectClean(place, { images: 11, objects, rows: 7 })
    await place.ingest(LINES, ['--confidence-threshold', '0.5'])
    const { exitCode, stdout, stderr } = await place.run(['verify'])
    expect(stdout).toBe(
      `11 images, ${objects} objects, 10 rows checked: nothing is wrong; nothing was looked up.\n`,
    )
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^Database: .*\nImages: (s3:\/\/test-|the database \(image_data\))/)
  })
})

const ANSWERS = answersFor({
  'two.jpg': [
    ['abc1', 0.9],
    ['abc2', 0.8],
  ],
  'one.jpg': [['abc3', 0.9]],
})
const IMAGES = ['two.jpg', 'one.jpg', 'none.jpg']
const SHA = Object.fromEntries(IMAGES.map((name) => [name, sha256Of(pictureOf(name))]))

/** A workplace whose sandbox sees two plates, one, and none. */
async function drawnPlace(options: WorkplaceOptions = {}): Promise<[Workplace, string[]]> {
  const place = await createWorkplace({ ...options, sandbox: { answers: ANSWERS } })
  return [place, await place.draw(...IMAGES)]
}

/** Runs `look` while lookups of a run hang, then ends the run. */
async function whileAsking(place: Workplace, lines: string[], look: () => Promise<void>) {
  place.sandbox.configure({ fault: () => 'hang' })
  const before = place.sandbox.lookups.length
  const running = await place.startIngest(lines)
  await vi.waitFor(() => expect(place.sandbox.lookups).toHaveLength(before + lines.length), 30_000)
  await look()
  await vi.waitFor(() => {
    running.kill('SIGINT')
    expect(running.hasEnded()).toBe(true)
  }, 30_000)
  place.sandbox.configure({ fault: undefined })
}

const REFUSE_ROWS = `
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no rows today'; END $$;
  CREATE TRIGGER refuse BEFORE INSERT ON vehicle_snapshots FOR EACH ROW EXECUTE FUNCTION refuse()`
const TOLD = `
  SELECT l.response IS NOT NULL AS answered, l.answered_at IS NOT NULL AS timed, count(v.id)::int AS rows
  FROM plate_lookups l LEFT JOIN vehicle_snapshots v USING (image_sha256) GROUP BY l.image_sha256, 1, 2`

test('no row points at an object that is not confirmed stored', async () => {
  const [opened, lines] = await drawnPlace({ storage: 's3' })
  await using place = opened
  await using between = await startS3GoBetween({
    refuse: ({ method }) => (method === 'PUT' ? 403 : undefined),
  })
  const env = { AWS_ENDPOINT_URL: between.url }
  expect((await place.ingest(lines, [], { env })).summary.stopped).toBe('storage_down')
  expect(place.sandbox.lookups).toEqual([])
  await expectClean(place, { rows: 0, objects: 0 })

  await whileAsking(place, lines, () => expectClean(place, { rows: 0, images: 3, objects: 3 }))
  expect((await place.ingest(lines)).exitCode).toBe(0)
  await expectClean(place, { rows: 3, images: 3, objects: 3 })

  await place.query('UPDATE plate_lookups SET stored_at = NULL WHERE image_sha256 = $1', [
    SHA['two.jpg'],
  ])
  expect((await verify(place)).problems).toEqual([
    expect.objectContaining({ code: 'not_stored', sha256: SHA['two.jpg'], repaired: false }),
  ])
  expect((await verify(place, '--repair')).exitCode).toBe(0)
  await expectClean(place)
})

test('no ledger entry says "answered" without its response', async () => {
  const [opened, lines] = await drawnPlace()
  await using place = opened
  await whileAsking(place, lines, async () => {
    await expectClean(place, { rows: 0, images: 3 })
    expect(await place.query(TOLD)).toEqual(
      Array(3).fill({ answered: false, timed: false, rows: 0 }),
    )
  })
  place.sandbox.configure({ fault: () => ({ status: 503 }) })
  expect((await place.ingest(lines, ['--retries', '0'])).summary.failed).toBe(3)
  await expectClean(place, { rows: 0, images: 3 })
  expect(await place.query(TOLD)).toEqual(Array(3).fill({ answered: false, timed: false, rows: 0 }))
  place.sandbox.configure({ fault: undefined })
  await place.ingest(lines)
  await expectClean(place, { rows: 3, images: 3 })

  await place.query(
    `UPDATE plate_lookups SET response = CASE WHEN image_sha256 = $1 THEN '{}'::jsonb END`,
    [SHA['one.jpg']],
  )
  const found = await verify(place)
  expect([found.exitCode, codesOf(found.problems)]).toEqual([
    1,
    ['answered_without_response', 'answered_without_response', 'unreadable_response'],
  ])
  const { problems, exitCode } = await verify(place, '--repair')
  expect(exitCode).toBe(1)
  // The answer about an image without rows is nowhere else.
  expect(problems.filter(({ repaired }) => !repaired)).toEqual([
    expect.objectContaining({
      sha256: SHA['none.jpg'],
      message: expect.stringContaining('a run with it asks once more (one lookup)'),
    }),
  ])
  const { summary } = await place.ingest(lines)
  expect(summary).toMatchObject({ duplicate: 2, no_plate: 1, lookups: 1 })
  await expectClean(place)
})

test("a snapshot's rows and its ledger entry appear together or not at all", async () => {
  const [opened, lines] = await drawnPlace({ storage: 's3' })
  await using place = opened
  await place.query(REFUSE_ROWS)
  expect((await place.ingest(['two.jpg', 'one.jpg'])).summary.failed).toBe(2)
  expect(await place.query(TOLD)).toEqual(Array(2).fill({ answered: false, timed: false, rows: 0 }))
  await expectClean(place, { rows: 0 })
  await place.query('DROP TRIGGER refuse ON vehicle_snapshots')
  await place.ingest(lines)
  expect(place.sandbox.billedCount()).toBe(3)
  await expectClean(place, { rows: 3, images: 3 })

  await place.query('DELETE FROM plate_lookups')
  const found = await verify(place)
  expect([found.exitCode, codesOf(found.problems)]).toEqual([
    1,
    [...Array(3).fill('orphan_object'), ...Array(3).fill('row_without_ledger')],
  ])
  const mended = await verify(place, '--repair')
  expect([mended.exitCode, mended.last]).toEqual([
    0,
    expect.objectContaining({ problems: 4, repaired: 4 }),
  ])
  // The image without rows: its object is the ledger's again, its answer is lost.
  expect(mended.problems.filter(({ code }) => code === 'orphan_object')).toHaveLength(1)
  await expectClean(place, { rows: 3, images: 3, objects: 3 })
  expect((await place.ingest(lines)).summary).toMatchObject({ duplicate: 2, lookups: 1 })
  await expectClean(place)
})

test('an image on its way from the database to a bucket makes no orphan while a run is at work on it', async () => {
  const [opened, lines] = await drawnPlace({ storage: 's3' })
  await using place = opened
  place.sandbox.configure({ fault: () => ({ status: 503 }) })
  await place.ingest(lines, ['--retries', '0'], { env: { STORE_IMAGES: 'db' } })
  await whileAsking(place, lines, () => expectClean(place, { images: 3, rows: 0, objects: 0 }))
  const { exitCode } = await place.ingest(lines, ['--lost-answer', 'retry'])
  expect(exitCode).toBe(0)
  await expectClean(place, { images: 3, rows: 3, objects: 3 })
})

test('tells people in one line each what is wrong, with what would move a cursor shown as text', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  const [line = ''] = await place.draw('gate \u001b[31m.jpg')
  await place.ingest([line])
  const sha256 = sha256Of(pictureOf(line))
  await rename(join(place.folder, line), join(place.folder, 'away.jpg'))
  await place.query(`UPDATE plate_lookups SET s3_key = 'elsewhere/' || $1`, [line])
  const { exitCode, stdout } = await place.run(['verify', '--repair'])
  expect(exitCode).toBe(1)
  const [missing = '', orphan = '', summary] = stdout.split('\n')
  const shown = 'gate \\x1b[31m.jpg'
  expect(missing).toContain(`missing_object ${sha256} ${shown}: s3://`)
  expect(missing).toContain(
    `elsewhere/${shown} is not there. It cannot be stored again: ${shown} does not exist.`,
  )
  expect(orphan).toMatch(new RegExp(`^orphan_object ${sha256}: .* The ledger has another object`))
  expect(summary).toBe(
    '1 image, 1 object, 0 rows checked: 2 problems, 0 repaired; nothing was looked up.',
  )
})

describe('when it cannot look', () => {
  test('a storage that went away is exit 3, and nothing is called missing', async () => {
    await using place = await createWorkplace({ storage: 's3' })
    const env = { AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}` }
    const { exitCode, stdout, stderr } = await place.run(['verify'], { env })
    expect([exitCode, stdout]).toEqual([3, ''])
    expect(stderr).toContain('[storage_down]')
  })

  test('a database that is not there is exit 3', async () => {
    await using place = await createWorkplace({ database: 'embedded', isNew: true })
    const { exitCode, stderr } = await place.run(['verify', '--repair'])
    expect(exitCode).toBe(3)
    expect(stderr).toContain('There is no database yet: the embedded database in')
  })

  test('an object that the server does not show is refused, not missing', async () => {
    const [opened, lines] = await drawnPlace({ storage: 's3' })
    await using place = opened
    await place.ingest(lines)
    let isListed = true
    await using between = await startS3GoBetween({
      refuse({ method, url = '' }) {
        const isRefused = url.includes('list-type') ? !isListed : url.includes('vehicle-snapshots/')
        return method !== 'PUT' && isRefused ? 403 : undefined
      },
    })
    const env = { AWS_ENDPOINT_URL: between.url }
    const { exitCode, records } = await place.run(['verify', '--repair', '--json'], { env })
    const problem = { code: 'object_refused', repaired: false }
    expect(records).toEqual([
      ...Array(3).fill(expect.objectContaining(problem)),
      expect.objectContaining({ event: 'verified', problems: 3, stopped: null }),
    ])
    expect(exitCode).toBe(1)

    isListed = false
    const unlisted = await place.run(['verify', '--json'], { env })
    expect(unlisted.exitCode).toBe(3)
    expect(unlisted.records.at(-1)).toMatchObject({ problems: 3, stopped: 'storage_down' })
    expect(unlisted.stderr).toContain('cannot be listed: the server denies access')
    expect(unlisted.stderr).toContain('s3:ListBucket')
    expect(place.sandbox.lookups).toHaveLength(3)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it in good order with exit %i', async (signal, exit) => {
    const [opened, lines] = await drawnPlace({ storage: 's3' })
    await using place = opened
    await place.ingest(lines)
    const asked = Promise.withResolvers<void>()
    await using between = await startS3GoBetween({
      refuse({ url = '' }) {
        if (url.includes('vehicle-snapshots/')) asked.resolve()
        return url.includes('vehicle-snapshots/') ? 503 : undefined
      },
    })
    const env = { AWS_ENDPOINT_URL: between.url }
    const running = await place.start(['verify', '--json'], { env })
    await asked.promise
    running.kill(signal)
    const { exitCode, records, stderr } = await running.ended
    expect(records).toEqual([
      expect.objectContaining({ event: 'verified', problems: 0, stopped: 'interrupted' }),
    ])
    expect(exitCode).toBe(exit)
    expect(stderr).toContain('The run was interrupted.')
  })
})
