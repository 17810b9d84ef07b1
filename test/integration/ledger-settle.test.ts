import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAnswers } from '../../src/db/answers.ts'
import type { Database } from '../../src/db/database.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage, wanting } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates, responseWith } from '../support/ledgers.ts'

const never = new AbortController().signal

describe.each(BOTH_DATABASES)('an answer on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  type Row = Record<string, unknown>
  const rowsOf = (sha256: string) =>
    database.query<Row>(
      'SELECT * FROM vehicle_snapshots WHERE image_sha256 = $1 ORDER BY result_index',
      [sha256],
    )
  const entryOf = async (sha256: string) => {
    const sql = 'SELECT * FROM plate_lookups WHERE image_sha256 = $1'
    const [entry] = await database.query<Row>(sql, [sha256])
    return entry ?? {}
  }
  const platesOf = async (sha256: string) => {
    const sql = `SELECT result_index, plate_text FROM vehicle_snapshots WHERE image_sha256 = $1
      ORDER BY result_index`
    const rows = await database.query<{ result_index: number; plate_text: string }>(sql, [sha256])
    return rows.map(({ result_index, plate_text }) => [result_index, plate_text])
  }

  test('fills every column of its row', async () => {
    const question = { cameraId: 'gate 7', mmc: true, regions: ['gb'] }
    const { ledger, run } = await openLedger(database)
    const meta = { lane: 7, source: 'not this' }
    const wanted = wanting(question, { meta })
    const box = { xmin: 143, ymin: 481, xmax: 282, ymax: 575 }
    const vehicleBox = { xmin: 67, ymin: 113, xmax: 908, ymax: 653 }
    const response = responseWith([
      {
        plate: 'nhk552',
        score: 0.904,
        dscore: 1,
        box,
        region: { code: 'gb', score: 0.747 },
        candidates: [{ plate: 'nhk552', score: 0.904 }],
        vehicle: { type: 'Sedan', score: 0.798, box: vehicleBox },
        model_make: [{ make: 'Riley', model: 'RMF', score: 0.306 }],
        color: [{ color: 'black', score: 0.937 }],
        orientation: [{ orientation: 'Front', score: 0.937 }],
        direction: 210,
        direction_score: 0.24,
        of_the_future: true,
      },
    ])
    const object = { bucket: 'plates', key: 'a.jpg' }
    const url = 'https://s3/a.jpg?X-Amz-Signature=1'
    const { image } = await answerOf(ledger, response, {
      image: fetchedImage({ wanted }),
      object,
      url,
    })
    const [row, ...others] = await rowsOf(image.sha256)
    expect(others).toEqual([])
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      snapshot_ref: 'f.jpg',
      camera_id: 'gate 7',
      captured_at: new Date('2026-01-02T03:04:05.123Z'),
      plate_text: 'nhk552',
      plate_confidence: '0.904',
      makes_models: [{ make: 'Riley', model: 'RMF', score: 0.306 }],
      colors: [{ color: 'black', score: 0.937 }],
      bbox: box,
      raw_response: response.raw,
      image_url: url,
      image_data: null,
      image_mime: 'image/jpeg',
      image_size: image.size,
      image_sha256: image.sha256,
      meta: {
        lane: 7,
        source: image.source,
        region: { code: 'gb', score: 0.747 },
        vehicle_type: 'Sedan',
        vehicle_score: 0.798,
        vehicle_box: vehicleBox,
        dscore: 1,
        candidates: [{ plate: 'nhk552', score: 0.904 }],
        orientation: [{ orientation: 'Front', score: 0.937 }],
        direction: 210,
        direction_score: 0.24,
        captured_at_from: 'api',
        s3: object,
      },
      created_at: expect.any(Date),
      updated_at: expect.any(Date),
      result_index: 0,
    })
    expect(await entryOf(image.sha256)).toMatchObject({
      response: response.raw,
      answered_by: run.id,
      attempts: 1,
      claimed_by: null,
      s3_bucket: 'plates',
    })
  })

  test('leaves null what it does not say', async () => {
    const { ledger } = await openLedger(database)
    const response = responseWith([{ vehicle: { type: 'Bus', score: 0.5 } }], {
      filename: undefined,
      timestamp: 'yesterday',
      camera_id: 'null',
    })
    const { image } = await answerOf(ledger, response)
    const [row] = await rowsOf(image.sha256)
    expect(row).toMatchObject({
      snapshot_ref: image.sha256,
      camera_id: null,
      captured_at: null,
      plate_text: null,
      plate_confidence: null,
      makes_models: null,
      colors: null,
      bbox: null,
      meta: { source: image.source, vehicle_type: 'Bus', vehicle_score: 0.5 },
    })
    expect(row?.['meta']).not.toHaveProperty('s3')
  })

  test('gives rows to what the threshold keeps, and the ledger all of it', async () => {
    const { ledger } = await openLedger(database)
    const { image } = await answerOf(ledger, plates('a9', 'a8', 'a7'), { threshold: 0.8 })
    expect(await platesOf(image.sha256)).toEqual([
      [0, 'a9'],
      [1, 'a8'],
    ])
    expect(await entryOf(image.sha256)).toMatchObject({ response: { results: { length: 3 } } })
  })

  test('without a row is remembered all the same', async () => {
    const { ledger } = await openLedger(database)
    const { image } = await answerOf(ledger, plates())
    expect(await rowsOf(image.sha256)).toEqual([])
    expect(await ledger.claim(image, undefined, never)).toMatchObject({ kind: 'known' })
  })

  test('is written with its rows or not at all', async () => {
    await database.execute(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON vehicle_snapshots FOR EACH ROW
        WHEN (NEW.plate_text = 'refused') EXECUTE FUNCTION refuse()`)
    const { ledger } = await openLedger(database)
    const image = fetchedImage()
    const settling = answerOf(ledger, plates('taken', 'refused'), { image })
    await expect(settling).rejects.toMatchObject({ code: 'database_failed', scope: 'image' })
    expect(await rowsOf(image.sha256)).toEqual([])
    expect(await entryOf(image.sha256)).toMatchObject({ response: null, answered_at: null })
    await ledger.release(image.sha256)
    await answerOf(ledger, plates('taken'), { image })
    expect(await platesOf(image.sha256)).toEqual([[0, 'taken']])
  })

  test('replaces an older one: surplus rows go, the ids of the others stay', async () => {
    const { ledger } = await openLedger(database)
    const { image } = await answerOf(ledger, plates('old0', 'old1', 'old2'))
    const before = await rowsOf(image.sha256)
    const forced = await openLedger(database, { force: true })
    const response = plates('new0', 'new1')
    await answerOf(forced.ledger, response, { image, url: 'https://new' })
    const after = await rowsOf(image.sha256)
    expect(after.map(({ plate_text, image_url }) => [plate_text, image_url])).toEqual([
      ['new0', 'https://new'],
      ['new1', 'https://new'],
    ])
    expect(after.map(({ id }) => id)).toEqual(before.slice(0, 2).map(({ id }) => id))
    expect(after.map(({ created_at }) => created_at)).toEqual(
      before.slice(0, 2).map(({ created_at }) => created_at),
    )
    expect(after[0]?.['raw_response']).toEqual(response.raw)
  })

  test('may hold what jsonb and text cannot', async () => {
    const { ledger } = await openLedger(database)
    const box = { xmin: 0, ymin: 0, xmax: 1, ymax: 1 }
    const results = [{ plate: 'a\0b\ud83d', score: 1, dscore: 1, box, 'ke\0y': '\0' }]
    const { image } = await answerOf(ledger, responseWith(results, { filename: '\0.jpg' }))
    expect(await rowsOf(image.sha256)).toMatchObject([
      {
        plate_text: 'a\ufffdb\ufffd',
        snapshot_ref: '\ufffd.jpg',
        raw_response: { results: [{ 'ke\ufffdy': '\ufffd' }] },
      },
    ])
  })

  test('may hold 1,000 results', async () => {
    const { ledger } = await openLedger(database)
    const texts = Array.from({ length: 1_000 }, (_, n) => `p${n}`)
    const { image } = await answerOf(ledger, plates(...texts))
    expect((await platesOf(image.sha256)).map(([, text]) => text)).toEqual(texts)
    const claim = await ledger.claim(image, undefined, never)
    expect(claim).toMatchObject({ kind: 'known', known: { rowPlaces: { length: 1_000 } } })
  })

  test('stored once gives rows and takes them away later, the ids of the others staying', async () => {
    const { ledger } = await openLedger(database)
    const { image, readings } = await answerOf(ledger, plates('a9', 'a8', 'a7'), {
      image: fetchedImage({ wanted: wanting({ cameraId: 'gate' }, { meta: { lane: 7 } }) }),
      threshold: 0.8,
    })
    const before = await rowsOf(image.sha256)
    const claim = await ledger.claim(image, undefined, never)
    if (claim.kind !== 'known') throw new Error('it is known')
    const known = { ...claim.known, url: 'u' }

    await ledger.amend(known, readings.slice(2), [])
    expect(await platesOf(image.sha256)).toEqual([
      [0, 'a9'],
      [1, 'a8'],
      [2, 'a7'],
    ])
    expect((await rowsOf(image.sha256))[2]).toMatchObject({
      ...{ camera_id: 'gate', image_url: 'u', meta: { lane: 7 } },
    })
    // Two that do the same at once.
    await ledger.amend(known, readings.slice(2), [])
    await ledger.amend(known, [], [1, 2])
    expect(await rowsOf(image.sha256)).toEqual(before.slice(0, 1))
  })

  test('is found with all others, over more pages than one', async () => {
    await database.query('DELETE FROM plate_lookups')
    await database.query(`INSERT INTO plate_lookups (image_sha256, response)
      SELECT md5(n::text) || md5(n::text), '{"results": []}' FROM generate_series(1, 450) n`)
    await database.query("INSERT INTO plate_lookups (image_sha256) VALUES ('unanswered')")
    const seen: string[] = []
    for await (const { sha256 } of createAnswers(database).known()) seen.push(sha256)
    expect(seen).toHaveLength(450)
    expect(new Set(seen).size).toBe(450)
    expect(seen).toEqual([...seen].sort())
  })
})
