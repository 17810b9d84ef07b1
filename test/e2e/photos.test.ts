import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { drawScene, type PLATE, photoHeld, plateIn, UPRIGHT } from '../support/photos.ts'
import { pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { startSeeingApi } from '../support/seeing-api.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const BIG = { width: 4_600, height: 3_200 }

type Box = typeof PLATE
interface Row {
  source: string
  bbox: Box
  vehicle: Box
  sent: { width: number; height: number; bytes: number; quality: number } | null
  sha256: string
  id: string
}
const rowsOf = async ({ query }: Workplace): Promise<Record<string, Row>> => {
  const rows =
    await query<Row>(`SELECT meta->>'source' AS source, bbox, meta->'vehicle_box' AS vehicle,
    meta->'lookup_image' AS sent, image_sha256 AS sha256, id FROM vehicle_snapshots`)
  return Object.fromEntries(rows.map((row) => [row.source, row]))
}

/** Compression blurs edges. */
function expectNear(box: Box | undefined, wanted: Box, within: number): void {
  for (const side of ['xmin', 'ymin', 'xmax', 'ymax'] as const) {
    expect(Math.abs((box?.[side] ?? Number.NaN) - wanted[side])).toBeLessThanOrEqual(within)
  }
}

test('photos are sent as the API takes them, and stored and told of as they are', async () => {
  await using api = await startSeeingApi()
  await using place = await createWorkplace()
  const env = { SNAPSHOT_API_URL: `${api.url}/v1/plate-reader/` }
  const big = await sharp(await drawScene(BIG, true), { raw: { ...BIG, channels: 3 } })
    .jpeg({ quality: 98 })
    .toBuffer()
  expect(big.length).toBeGreaterThan(12_000_000)
  const small = sharp(await drawScene(), { raw: { ...UPRIGHT, channels: 3 } })
  await place.write('big.jpg', big)
  await place.write('held.jpg', await photoHeld(6))
  await place.write('upside-down.jpg', await photoHeld(3))
  await place.write('phone.avif', await small.clone().avif({ quality: 90 }).toBuffer())
  await place.write('plain.jpg', await photoHeld(1))
  await place.write('plain.png', await small.clone().png().toBuffer())
  // It passes for a whole JPEG, and nobody can decode it: the API may.
  await place.write('odd.jpg', pictureOf('odd', 3_100_000))
  // What an Apple phone writes: its patents keep it out of the decoder.
  await place.write('phone.heic', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0heicmif1rest', 'latin1'))
  const lines = [
    'big.jpg',
    'held.jpg',
    'upside-down.jpg',
    'phone.avif',
    'plain.jpg',
    'plain.png',
    'odd.jpg',
    'phone.heic',
  ]

  const limited = ['--max-upload-bytes', '3000000', '--concurrency', '2']
  const { summary, images, stderr } = await place.ingest(lines, limited, { env })
  const failed = images.filter(({ outcome }) => outcome === 'failed')
  expect(failed.map(({ source, error }) => [source, error?.code]).sort(), stderr).toEqual([
    ['odd.jpg', 'api_too_large'],
    ['phone.heic', 'heic_unsupported'],
  ])
  // odd.jpg was sent once as it is: nothing could be made smaller.
  expect(summary).toMatchObject({ images: 8, stored: 6, failed: 2, fitted: 4, attempts: 7 })

  const rows = await rowsOf(place)
  const files = ['big.jpg', 'held.jpg', 'upside-down.jpg', 'phone.avif', 'plain.jpg', 'plain.png']
  for (const file of files) {
    expect(rows[file]?.sha256).toBe(sha256Of(await readFile(join(place.folder, file))))
    const size = file === 'big.jpg' ? BIG : UPRIGHT
    expectNear(rows[file]?.bbox, plateIn(size), file === 'big.jpg' ? 12 : 2)
    expect(rows[file]?.vehicle).toEqual(rows[file]?.bbox)
  }
  expect([rows['plain.jpg']?.sent, rows['plain.png']?.sent]).toEqual([null, null])
  expect(rows['held.jpg']?.sent).toMatchObject({ ...UPRIGHT, quality: 95 })
  const sent = rows['big.jpg']?.sent
  const request = api.sent.find(({ width }) => width === sent?.width)
  expect(request).toMatchObject({
    status: 201,
    format: 'jpeg',
    filename: 'big.jpg',
    height: sent?.height,
  })
  expect(request?.bodyBytes).toBeLessThan(3_000_000)
  expect(request?.bodyBytes).toBeGreaterThan(2_600_000)
  expect(api.sent.find(({ filename }) => filename?.startsWith('phone'))?.filename).toBe(
    'phone.avif.jpg',
  )

  // Cut out of the stored original, by a box that was found in another picture.
  for (const file of ['big.jpg', 'held.jpg', 'upside-down.jpg']) {
    const cut = await place.run([
      'image',
      rows[file]?.id ?? '',
      '--crop',
      'plate',
      '-o',
      'plate.jpg',
    ])
    expect(cut.exitCode, cut.stderr).toBe(0)
    const [red, green, blue] = (await sharp(join(place.folder, 'plate.jpg')).stats()).channels
    expect([red?.mean, green?.mean, blue?.mean].map((mean) => (mean ?? 128) > 128)).toEqual([
      true,
      false,
      false,
    ])
  }

  const report = await place.run(['report', '-o', 'report.html'])
  expect(report.stdout + report.stderr).toContain('6 rows, 6 pictures')

  // From the stored answer the rows are the same again.
  await place.run(['reprocess', '--confidence-threshold', '1'])
  expect(await rowsOf(place)).toEqual({})
  await place.run(['reprocess'])
  const without = (all: Record<string, Row>) => Object.values(all).map(({ id: _, ...row }) => row)
  expect(without(await rowsOf(place))).toEqual(expect.arrayContaining(without(rows)))
})

test('what is refused as too large is made smaller once more, and its requests are counted', async () => {
  await using api = await startSeeingApi(40_000)
  await using place = await createWorkplace()
  const env = { SNAPSHOT_API_URL: `${api.url}/v1/plate-reader/` }
  const size = { width: 300, height: 200 }
  const noise = sharp(await drawScene(size, true), { raw: { ...size, channels: 3 } })
  await place.write('noise.jpg', await noise.clone().jpeg({ quality: 95 }).toBuffer())
  await place.write(
    'huge.png',
    await sharp(await drawScene({ width: 900, height: 600 }, true), {
      raw: { width: 900, height: 600, channels: 3 },
    })
      .png()
      .toBuffer(),
  )

  const { summary, images } = await place.ingest(['noise.jpg', 'huge.png'], [], { env })
  expect(summary).toMatchObject({ images: 2, stored: 1, failed: 1, fitted: 1, attempts: 4 })
  expect(images.find(({ outcome }) => outcome === 'failed')?.error).toMatchObject({
    code: 'api_too_large',
    hint: 'It could not be made small enough: give the limit of this API with --max-upload-bytes, or shrink the image.',
  })
  expect(api.sent.map(({ status }) => status).sort()).toEqual([201, 413, 413, 413])
  const { bbox, sent } = (await rowsOf(place))['noise.jpg'] ?? {}
  expectNear(bbox, plateIn(size), 6)
  expect(sent?.bytes).toBeLessThan(40_000)
})
