import { describe, expect, test } from 'vitest'
import { SAMPLE_ANSWERS, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const LINES = Object.values(SAMPLE_ANSWERS).map(({ file }) => `samples/${file}`)
const RESULTS = Object.values(SAMPLE_ANSWERS).flatMap(({ results }) => results)

function platesFrom(threshold: number): string[] {
  return RESULTS.filter(({ score }) => score >= threshold)
    .map(({ plate }) => plate)
    .sort()
}

interface Row {
  id: string | null
  plate: string | null
  url: string | null
}

/**
 * The rows, by plate. In `db` mode every row has its image's bytes, and an image without rows has them in the ledger:
 * that is looked at here, too.
 */
async function readRows({ query, env }: Workplace): Promise<Row[]> {
  const found = await query<Row & { sha256: string; row: Uint8Array; ledger: Uint8Array }>(`
    SELECT v.id, v.plate_text AS plate, v.image_url AS url, image_sha256 AS sha256,
           v.image_data AS row, l.image_data AS ledger
    FROM plate_lookups l LEFT JOIN vehicle_snapshots v USING (image_sha256)
    ORDER BY v.plate_text COLLATE "C"`)
  expect(new Set(found.map(({ sha256 }) => sha256)).size).toBe(LINES.length)
  for (const { id, sha256, row, ledger } of found) {
    if (env['STORE_IMAGES'] === 'db') expect(sha256Of(id === null ? ledger : row)).toBe(sha256)
    else expect([row, ledger]).toEqual([null, null])
  }
  return found.filter(({ id }) => id !== null).map(({ id, plate, url }) => ({ id, plate, url }))
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
    place.sandbox.reset()

    const loose = await place.ingest(LINES, ['--confidence-threshold', '0.5'])
    expect(loose.exitCode).toBe(0)
    expect(loose.summary).toMatchObject({ images: 11, duplicate: 11, rows: 3, lookups: 0 })
    const second = await readRows(place)
    expect(second.map(({ plate }) => plate)).toEqual(platesFrom(0.5))
    expect(second).toEqual(expect.arrayContaining(first))

    // A run takes no row away; it says what would.
    const again = await place.ingest(LINES, ['--confidence-threshold', '0.9'])
    expect(again.summary).toMatchObject({ duplicate: 11, rows: 0, rows_below: 3, lookups: 0 })
    const plates = again.images.flatMap((image) => image.plates ?? [])
    expect(plates.filter(({ stored }) => stored)).toHaveLength(second.length)
    const words = await place.run(['--images', 'images.txt', '--confidence-threshold', '0.9'])
    expect(words.stdout).toContain('3 rows of known images are below this threshold and stayed')
    expect(await readRows(place)).toEqual(second)

    const up = await place.run(['reprocess', '--confidence-threshold', '0.9', '--json'])
    expect(up.exitCode).toBe(0)
    expect(up.records).toEqual([
      { event: 'reprocessed', images: 11, added: 0, removed: 3, stopped: null },
    ])
    expect(await readRows(place)).toEqual(first)

    const down = await place.run(['reprocess', '--confidence-threshold', '0.5'])
    expect(down.exitCode).toBe(0)
    expect(down.stdout).toBe(
      '11 known images at confidence threshold 0.5: 3 rows added, 0 rows removed; nothing was looked up.\n',
    )
    const last = await readRows(place)
    expect(last.map(({ plate }) => plate)).toEqual(platesFrom(0.5))
    expect(last).toEqual(expect.arrayContaining(first))
    for (const { url } of last) {
      expect(url).toMatch(options.storage === 'db' ? /^samples\// : /^http.*X-Amz-Signature=/)
    }
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
