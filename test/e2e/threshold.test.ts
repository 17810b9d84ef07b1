import { describe, expect, test } from 'vitest'
import { SAMPLE_ANSWERS, sha256Of } from '../support/pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const LINES = Object.values(SAMPLE_ANSWERS).map(({ file }) => `samples/${file}`)
const RESULTS = Object.values(SAMPLE_ANSWERS).flatMap(({ results }) => results)

function platesFrom(threshold: number): string[] {
  return RESULTS.filter(({ score }) => score >= threshold)
    .map(({ plate }) => plate)
    .sort()
}

interface Row {
  id: string
  plate: string
  url: string
}

function readRows({ query }: Workplace): Promise<Row[]> {
  return query(
    'SELECT id, plate_text AS plate, image_url AS url FROM vehicle_snapshots ORDER BY plate_text COLLATE "C"',
  )
}

/** In `db` mode every row has its image's bytes, and an image without rows has them in the ledger. */
async function expectBytes({ query, env }: Workplace) {
  if (env['STORE_IMAGES'] !== 'db') return
  const rows = await query<{ sha256: string; data: Uint8Array | null }>(
    'SELECT image_sha256 AS sha256, image_data AS data FROM vehicle_snapshots',
  )
  for (const { sha256, data } of rows) expect(sha256Of(data ?? '')).toBe(sha256)
  const others = await query<{ sha256: string; data: Uint8Array | null }>(`
    SELECT image_sha256 AS sha256, image_data AS data FROM plate_lookups l
    WHERE NOT EXISTS (SELECT 1 FROM vehicle_snapshots v WHERE v.image_sha256 = l.image_sha256)`)
  for (const { sha256, data } of others) expect(sha256Of(data ?? '')).toBe(sha256)
  const images = new Set([...rows, ...others].map(({ sha256 }) => sha256))
  expect(images.size).toBe(LINES.length)
}

describe.each([
  ['a server database', { database: 'server', storage: 'db' }],
  ['the embedded database', { database: 'embedded', storage: 'db' }],
  ['a server database and S3', { database: 'server', storage: 's3' }],
] as const)('on %s', (_, options) => {
  test('a lower threshold brings in the rows left out, a higher one takes them away, all for nothing', async () => {
    await using place = await createWorkplace(options)
    const strict = await place.ingest(LINES, ['--confidence-threshold', '0.9'])
    expect(strict.summary).toMatchObject({ images: 11, stored: 7, below_threshold: 3, no_plate: 1 })
    expect(strict.summary).toMatchObject({ rows: 7, lookups: 11 })
    const first = await readRows(place)
    expect(first.map(({ plate }) => plate)).toEqual(platesFrom(0.9))
    await expectBytes(place)
    place.sandbox.reset()

    const loose = await place.ingest(LINES, ['--confidence-threshold', '0.5'])
    expect(loose.exitCode).toBe(0)
    expect(loose.summary).toMatchObject({ images: 11, duplicate: 11, rows: 3, lookups: 0 })
    const second = await readRows(place)
    expect(second.map(({ plate }) => plate)).toEqual(platesFrom(0.5))
    expect(second).toEqual(expect.arrayContaining(first))
    await expectBytes(place)

    const up = await place.run(['reprocess', '--confidence-threshold', '0.9', '--json'])
    expect(up.exitCode).toBe(0)
    expect(up.records).toEqual([
      { event: 'reprocessed', images: 11, added: 0, removed: 3, stopped: null },
    ])
    expect(await readRows(place)).toEqual(first)
    await expectBytes(place)

    const down = await place.run(['reprocess', '--confidence-threshold', '0.5'])
    expect(down.exitCode).toBe(0)
    expect(down.stdout).toBe(
      '11 known images: 3 rows added, 0 rows removed; nothing was looked up.\n',
    )
    const last = await readRows(place)
    expect(last.map(({ plate }) => plate)).toEqual(platesFrom(0.5))
    expect(last).toEqual(expect.arrayContaining(first))
    for (const { url } of last) {
      expect(url).toMatch(options.storage === 'db' ? /^samples\// : /^http.*X-Amz-Signature=/)
    }
    await expectBytes(place)
    expect(place.sandbox.lookups).toEqual([])
  })
})

test('each plate tells whether it got a row', async () => {
  await using place = await createWorkplace()
  const { images } = await place.ingest(
    ['samples/two-cars-at-the-lights.jpg'],
    ['--confidence-threshold', '0.8'],
  )
  expect(images).toEqual([expect.objectContaining({ outcome: 'stored' })])
  expect(images[0]?.plates).toEqual([
    { plate_text: 'qxoi104', plate_confidence: 0.952, stored: true },
    { plate_text: '0qio187', plate_confidence: 0.704, stored: false },
  ])
})

test('a plate exactly at the threshold gets its row', async () => {
  await using place = await createWorkplace()
  const { summary } = await place.ingest(
    ['samples/gate-sedan-front.jpg'],
    ['--confidence-threshold', '0.931'],
  )
  expect(summary).toMatchObject({ stored: 1, rows: 1 })
})
