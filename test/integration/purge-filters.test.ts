import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { createFailures } from '../../src/db/failures.ts'
import type { PurgeFilter } from '../../src/db/purge-match.ts'
import { previewPurge } from '../../src/db/purge-preview.ts'
import { FetchError, LookupError } from '../../src/errors.ts'
import { likePattern } from '../../src/plate-pattern.ts'
import type { LookupResponse } from '../../src/response.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage, wanting } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates, responseWith } from '../support/ledgers.ts'
import { insertOlderRow } from '../support/older-table.ts'
import { everything, purgeBy } from '../support/purging.ts'

const DAY_MS = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS)

describe.each(BOTH_DATABASES)('a purge on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  const imageWith = async (response: LookupResponse, cameraId?: string, threshold = 0) => {
    const { ledger, run } = await openLedger(database)
    const source = `lane/${crypto.randomUUID()}.jpg`
    const image = fetchedImage({ source, wanted: wanting({ cameraId }) })
    await answerOf(ledger, response, { image, threshold })
    await run.end()
    return image
  }
  const setBack = (sha256: string, days: number) =>
    database.query(
      'UPDATE plate_lookups SET created_at = $2::timestamptz WHERE image_sha256 = $1',
      [sha256, daysAgo(days).toISOString()],
    )

  /** What the preview says and what goes, which has to be the same. */
  async function purged(filter: PurgeFilter) {
    const preview = await previewPurge(database, filter)
    const { purged, removed } = await purgeBy(database, filter)
    expect({ ...purged, inUse: preview.inUse }).toEqual(preview)
    expect(removed).toHaveLength(preview.objects)
    return purged
  }

  const vehicle = (...values: string[]) =>
    responseWith([
      { vehicle: { type: 'Sedan' }, plate: null },
      { plate: { score: 0.9, props: { plate: values.map((value) => ({ value, score: 0.3 })) } } },
    ])
  const bare = (...texts: string[]) => {
    const { results } = plates(...texts)
    return { ...plates(...texts), raw: JSON.parse(JSON.stringify(results)) }
  }

  test.each<[what: string, response: LookupResponse, plate: string]>([
    ["a row's plate", plates('q1nhk552', 'q1b'), 'q1nhk552'],
    ['however it is written', plates('q2nhk552'), 'Q2-NHK 5.52'],
    ['the beginning of one', plates('q3nhk552'), 'q3*'],
    ['some of its characters', plates('Q4-NHK 552'), '?4nhk?5*'],
    ['a plate below the threshold, without a row', plates('q5a', 'q5b', 'q5c'), 'Q5C'],
    ['a plate of vehicle mode', vehicle('q6a', 'q6b'), 'q6b'],
    ['a plate in a bare list', bare('q7a', 'q7b'), 'q7b'],
    ['characters that are wild in SQL, as they are', plates('q8%_\\'), 'q8%_\\'],
  ])('by plate takes the whole image: %s', async (_what, response, plate) => {
    const image = await imageWith(response, undefined, 0.85)
    const other = await imageWith(plates('q0', '%', '_'))
    const gone = await purged({ plates: [likePattern(plate), likePattern('none')] })
    expect(gone).toMatchObject({ images: 1, sources: 1, tombstones: 1, bytes: image.size })
    const left = await everything(database)
    expect(left).toContain(other.source)
    for (const text of [image.sha256, image.source]) expect(left).not.toContain(text)
    expect(left).not.toMatch(/q[1-9]/i)
  })

  test('by plate takes a paid answer whose rows were refused, and no plate that only looks like it', async () => {
    const { ledger, run } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, new AbortController().signal)
    const answer = { response: plates('unsettled1'), attempts: 1, uncertain: 0 }
    await ledger.fail(image, new LookupError('database_failed', 'no'), answer)
    await run.end()
    expect(await purged({ plates: ['settled1'] })).toMatchObject({ images: 0 })
    expect(await purged({ plates: ['unsettled_'] })).toMatchObject({ images: 1, rows: 0 })
  })

  test('by plate never takes an image whose plate could not be read', async () => {
    const image = await imageWith(responseWith([{ plate: '', score: 0.9 }]))
    expect(await purged({ plates: [''] })).toMatchObject({ images: 0 })
    await purged({ plates: [likePattern('*')] })
    expect(await everything(database)).toContain(image.sha256)
    await purged({ before: new Date(Date.now() + 1_000) })
  })

  test("by plate looks into an older tool's answer too where the row has its place in a newer one", async () => {
    const sha256 = 'c'.repeat(64)
    await database.query('INSERT INTO plate_lookups (image_sha256, response) VALUES ($1, $2)', [
      sha256,
      JSON.stringify(plates('older1').raw),
    ])
    await database.query(
      'INSERT INTO vehicle_snapshots (image_sha256, plate_text, result_index, raw_response) VALUES ($1, $2, 0, $3)',
      [sha256, 'older1', JSON.stringify(plates('older1', 'older2').raw)],
    )
    expect(await purged({ plates: ['older2'] })).toMatchObject({ images: 1, rows: 1 })
  })

  test('takes rows of odd names and times as any other', async () => {
    await database.query(`INSERT INTO vehicle_snapshots (id, image_sha256, camera_id, created_at)
      VALUES ('00000000-0000-0000-0000-000000000000', NULL, 'odd', 'infinity'),
             (gen_random_uuid(), '', 'odd', '-infinity')`)
    expect(await purged({ cameras: ['odd'] })).toMatchObject({ images: 2, rows: 2, tombstones: 0 })
  })

  test('by age goes by when an image was first stored, and takes failures as old', async () => {
    const noteFailure = createFailures(database)
    await noteFailure('gone/old.jpg', new FetchError('file_not_found', 'gone/old.jpg'))
    await database.query("UPDATE image_failures SET failed_at = now() - interval '91 days'")
    await noteFailure('gone/new.jpg', new FetchError('file_not_found', 'gone/new.jpg'))
    const old = await imageWith(plates('age1', 'age2', 'age3'))
    await setBack(old.sha256, 91)
    await imageWith(plates('age4'))
    const gone = await purged({ before: daysAgo(90) })
    expect(gone).toMatchObject({ images: 1, rows: 3, sources: 1, failures: 1 })
    expect(gone.oldest?.getTime()).toBeLessThan(daysAgo(90).getTime())
    expect(gone.newest).toEqual(gone.oldest)
    const left = await everything(database)
    expect([left.includes('gone/old.jpg'), left.includes('gone/new.jpg')]).toEqual([false, true])
    expect(await purged({ before: daysAgo(90) })).toMatchObject({ images: 0, failures: 0 })
  })

  test("by camera goes by the rows' camera, and without rows by the answer's, else the one that was told", async () => {
    const named = responseWith([], { camera_id: 'cam-answer' })
    await imageWith(plates('cam1'), 'cam-1')
    await imageWith(responseWith([]), 'cam-1')
    await imageWith(named, 'cam-1')
    await imageWith(plates('cam2'), 'cam-2')
    expect(await purged({ cameras: ['cam-1'] })).toMatchObject({ images: 2, rows: 1 })
    expect(await purged({ cameras: ['cam', 'CAM-2', 'cam-%'] })).toMatchObject({ images: 0 })
    expect(await purged({ cameras: ['cam-answer', 'cam-2'] })).toMatchObject({ images: 2, rows: 1 })
  })

  test('takes only what meets all that is given together', async () => {
    const both = await imageWith(plates('all1'), 'all-1')
    await imageWith(plates('all1'), 'all-2')
    await imageWith(plates('all2'), 'all-1')
    await setBack(both.sha256, 10)
    const filter = { cameras: ['all-1', 'all-3'], plates: ['all1'] }
    expect(await purged({ ...filter, before: daysAgo(11) })).toMatchObject({ images: 0 })
    expect(await purged({ ...filter, before: daysAgo(9) })).toMatchObject({ images: 1, rows: 1 })
  })

  test("takes the older tool's rows that the ledger does not know, with the objects that they name", async () => {
    const s3 = (key: string) => ({ s3: { bucket: 'plates', key }, source: `older/${key}` })
    const sha256 = 'ab'.repeat(32)
    await insertOlderRow(database, { sha256, plate: 'old1', meta: s3('a.jpg'), day: 1 })
    await insertOlderRow(database, { sha256, plate: 'old2', meta: s3('b.jpg'), day: 3 })
    await insertOlderRow(database, { plate: 'old3', meta: s3('c.jpg'), day: 1 })
    await insertOlderRow(database, { plate: 'old4', meta: s3('c.jpg'), day: 4 })
    await insertOlderRow(database, { plate: 'old5', answer: plates('old6').raw, day: 4 })
    await insertOlderRow(database, { sha256: '{odd, \'text"}', plate: 'old7', day: null })

    expect(await purged({ plates: ['old2'] })).toMatchObject({ images: 1, rows: 2, tombstones: 1 })
    const before = new Date(Date.UTC(2024, 2, 2))
    const shared = await previewPurge(database, { before })
    expect(shared).toMatchObject({ images: 1, rows: 1, tombstones: 0 })
    expect(await purgeBy(database, { before })).toMatchObject({ removed: [] })
    expect(await purged({ plates: ['old4'] })).toMatchObject({ images: 1, objects: 1 })
    expect(await purged({ plates: ['old6'] })).toMatchObject({ images: 1 })
    expect(await purged({ cameras: ['gate'] })).toMatchObject({ images: 1, rows: 1, tombstones: 0 })
    expect(
      await database.query("SELECT 1 FROM plate_lookups WHERE image_sha256 ~ '(abab|odd)'"),
    ).toEqual([])
  })

  test('takes the failures of sources that no other image is known from', async () => {
    const noteFailure = createFailures(database)
    const image = await imageWith(plates('fail1'))
    const { ledger, run } = await openLedger(database)
    const shared = fetchedImage({ source: 'shared/latest.jpg' })
    await answerOf(ledger, plates('fail1'), { image: shared })
    await answerOf(ledger, plates('fail2'), { image: fetchedImage({ source: shared.source }) })
    await run.end()
    for (const source of [image.source, shared.source]) {
      await noteFailure(source, new FetchError('file_not_found', source))
    }
    expect(await purged({ plates: ['fail1'] })).toMatchObject({
      images: 2,
      sources: 2,
      failures: 1,
    })
    expect(await everything(database)).not.toContain(image.source)
  })
})
