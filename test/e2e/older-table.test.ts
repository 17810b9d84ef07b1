import { beforeEach, describe, expect, test } from 'vitest'
import { openServerDatabase } from '../../src/db/server.ts'
import { createOlderTable, insertOlderRow } from '../support/older-table.ts'
import { SAMPLE_ANSWERS } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const [GATE, TWO_CARS, SUV] = [
  'gate-sedan-front',
  'two-cars-at-the-lights',
  'country-road-suv-front',
]
const OLD_ROWS: [picture: string | undefined, plate: string, url: string, hasAnswer: boolean][] = [
  [GATE, 'iq70otx', 'https://bucket.example/gate.jpg?X-Amz-Signature=0ld0signature', true],
  // The older tool kept the first plate of an image only, and looked the same image up again.
  [TWO_CARS, 'QXOI104', 'https://bucket.example/two.jpg', true],
  [TWO_CARS, 'QXOI104', 'https://bucket.example/two.jpg', true],
  // Nobody knows what was answered about these two.
  [SUV, 'io108uo', 'https://bucket.example/suv.jpg', false],
  [undefined, 'nohash1', 'https://bucket.example/unknown.jpg', true],
]

async function makeOlderTable({ env }: Workplace) {
  const database = openServerDatabase(env['DATABASE_URL'] ?? '', 1)
  await createOlderTable(database)
  for (const [picture, plate, url, hasAnswer] of OLD_ROWS) {
    const [sha256, sample] =
      Object.entries(SAMPLE_ANSWERS).find(([, { file }]) => file === `${picture}.jpg`) ?? []
    const answer = { results: [], ...sample, filename: '1200_abcde_x.jpg', version: 1 }
    await insertOlderRow(database, {
      sha256: sha256 ?? null,
      plate,
      url,
      answer: hasAnswer ? answer : {},
    })
  }
  await database.close()
}

const OLD_COLUMNS = `id, snapshot_ref, plate_text, plate_confidence, raw_response, image_url, image_sha256, created_at`
const readOldRows = ({ query }: Workplace) =>
  query<{ id: string }>(
    `SELECT ${OLD_COLUMNS} FROM vehicle_snapshots WHERE snapshot_ref = 'ref' ORDER BY id`,
  )

describe('a table made by the older tool', () => {
  let place: Workplace
  beforeEach(async () => {
    place = await createWorkplace({ isMigrated: false })
    await makeOlderTable(place)
    return () => place[Symbol.asyncDispose]()
  })

  test('is upgraded in place, as often as one likes, and its rows stay as they were', async () => {
    const before = await readOldRows(place)
    expect(before).toHaveLength(OLD_ROWS.length)
    const first = await place.run(['migrate', '--json'])
    expect([first.exitCode, first.records]).toEqual([
      0,
      [{ event: 'migrated', from: 0, to: 5, known: 2, queue: 'made' }],
    ])
    const second = await place.run(['migrate'])
    expect(second.exitCode).toBe(0)
    expect(second.stdout).toContain('was at schema 5 already')
    expect(second.stdout).toContain('2 images, which will not be billed again')
    expect(await readOldRows(place)).toEqual(before)
  })

  test('bills nothing for the images behind its rows, and gets the plates it lacks', async () => {
    await place.run(['migrate'])
    const before = await readOldRows(place)
    const run = await place.ingest([`samples/${GATE}.jpg`, `samples/${TWO_CARS}.jpg`])
    expect(run.exitCode).toBe(0)
    expect(run.summary).toMatchObject({ images: 2, duplicate: 2, lookups: 0, attempts: 0, rows: 1 })
    expect(place.sandbox.lookups).toEqual([])
    expect(await readOldRows(place)).toEqual(before)
    const added = await place.query(
      `SELECT plate_text, result_index FROM vehicle_snapshots WHERE snapshot_ref <> 'ref'`,
    )
    expect(added).toEqual([{ plate_text: '0qio187', result_index: 1 }])

    const again = await place.ingest([`samples/${TWO_CARS}.jpg`])
    expect(again.summary).toMatchObject({ duplicate: 1, rows: 0 })
  })

  test('has an image looked up whose answer it did not keep, beside the old row', async () => {
    await place.run(['migrate'])
    const run = await place.ingest([`samples/${SUV}.jpg`])
    expect(run.summary).toMatchObject({ images: 1, stored: 1, lookups: 1, rows: 1 })
    expect(await readOldRows(place)).toHaveLength(OLD_ROWS.length)
  })

  test('keeps no signature of an old link among the sources', async () => {
    await place.run(['migrate'])
    const sources = await place.query<{ source: string }>('SELECT source FROM image_sources')
    expect(sources.map(({ source }) => source).sort()).toEqual([
      'https://bucket.example/gate.jpg',
      'https://bucket.example/two.jpg',
    ])
  })
})

describe.each([
  ['an empty database', async () => {}],
  ['a table of the older tool', makeOlderTable],
])('on %s', (_, prepare) => {
  test.each([
    ['ingest', ['--images', 'list.txt']],
    ['ingest --dry-run', ['--images', 'list.txt', '--dry-run']],
    ['reprocess', ['reprocess']],
    ['check', ['check']],
  ])('%s stops with exit 3 and names the command that helps', async (_command, args) => {
    await using place = await createWorkplace({ isMigrated: false })
    await prepare(place)
    await place.write('list.txt', 'samples/gate-sedan-front.jpg\n')
    const { exitCode, stdout, stderr } = await place.run(args)
    expect(exitCode).toBe(3)
    expect(stdout + stderr).toContain('Run: plate-snapshot migrate')
    expect(place.sandbox.lookups).toEqual([])
  })
})
