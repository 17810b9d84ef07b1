import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import type { WantedImage } from '../../src/wanted.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { answerOf, openLedger, responseWith } from '../support/ledgers.ts'

const box = { xmin: 1, ymin: 2, xmax: 3, ymax: 4 }
const car = (plate: string, score: number, make?: string) => ({
  plate,
  score,
  dscore: 0.9,
  box,
  ...(make && {
    model_make: [
      { make: 'Riley', model: 'RMF', score: 0.1 },
      { make, model: 'Any', score: 0.3 },
    ],
  }),
})

describe.each(BOTH_DATABASES)('the queries that users make, on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  let image: WantedImage
  beforeAll(async () => {
    opened = await open()
    database = opened.database
    const { ledger } = await openLedger(database)
    image = fetchedImage({ mime: 'image/png' })
    await ledger.claim(image, undefined, new AbortController().signal)
    await ledger.keepBytes(image.sha256, image.bytes)
    const results = [
      car('toyota', 0.91, 'Toyota'),
      car('justnot', 0.9, 'toyota'),
      car('sure', 1),
      car('low', 0.0000001, 'Toyota'),
      { vehicle: { type: 'Van', score: 0.4 } },
    ]
    await answerOf(ledger, responseWith(results), { image, isClaimed: true })
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  test.each<[condition: string, plates: string[]]>([
    [`makes_models @> '[{"make": "Toyota"}]'`, ['toyota', 'low']],
    ['plate_confidence > 0.9', ['toyota', 'sure']],
    ['plate_confidence >= 0.9', ['toyota', 'justnot', 'sure']],
    ["plate_text = 'sure'", ['sure']],
    ["captured_at = '2026-01-02 03:04:05.123456+00'", ['toyota', 'justnot', 'sure', 'low']],
    [
      "meta->>'source' = 'lane-1/picture.jpg' AND bbox->>'xmax' = '3'",
      ['toyota', 'justnot', 'sure', 'low'],
    ],
  ])('%s', async (condition, plates) => {
    const rows = await database.query<{ plate_text: string }>(
      `SELECT plate_text FROM vehicle_snapshots WHERE ${condition} AND plate_text IS NOT NULL
       ORDER BY result_index`,
    )
    expect(rows.map(({ plate_text }) => plate_text)).toEqual(plates)
  })

  test('any row has the image, by its id', async () => {
    const ids = await database.query<{ id: string }>('SELECT id FROM vehicle_snapshots')
    expect(ids).toHaveLength(5)
    for (const { id } of ids) {
      const sql = 'SELECT image_data, image_mime FROM vehicle_snapshots WHERE id = $1'
      const [row] = await database.query<{ image_data: Uint8Array; image_mime: string }>(sql, [id])
      expect(Buffer.from(row?.image_data ?? [])).toEqual(image.bytes)
      expect(row?.image_mime).toBe('image/png')
    }
  })

  test('the index on makes and models is used where there are many rows', async () => {
    await database.query(`INSERT INTO vehicle_snapshots (makes_models)
      SELECT jsonb_build_array(jsonb_build_object('make', 'm' || n)) FROM generate_series(1, 20000) n`)
    await database.query('ANALYZE vehicle_snapshots')
    const plan = await database.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT id FROM vehicle_snapshots WHERE makes_models @> '[{"make": "Toyota"}]'`,
    )
    const text = plan.map((line) => line['QUERY PLAN']).join('\n')
    expect(text).toContain('idx_vehicle_makes_models_jsonb')
  })
})
