import { hash } from 'node:crypto'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { drawPicture } from '../support/drawn-images.ts'
import { exifBytes, jpegWithExif, pictureWithExif } from '../support/exif-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

const SHOT = '2026:07:31 12:00:00'
const ORIGINAL = 0x9003
const BOX = { xmin: 1, ymin: 2, xmax: 3, ymax: 4 }
const RESULTS = [{ plate: 'abc123', score: 0.9, dscore: 1, box: BOX }]

test('each photo has the time that its camera, its name or its file tells, in UTC', async () => {
  const telephone = { DateTimeOriginal: SHOT, OffsetTimeOriginal: '-04:00' }
  const blank = { DateTimeOriginal: SHOT, OffsetTimeOriginal: '   :  ', OffsetTime: '   :  ' }
  const unset = { DateTimeOriginal: '0000:00:00 00:00:00' }
  const photos: [name: string, bytes: Buffer, sent: string, from: string][] = [
    [
      'telephone.jpg',
      await pictureWithExif({ exif: { ...telephone, SubSecTimeOriginal: '042' } }),
      '2026-07-31T16:00:00.042Z',
      'exif',
    ],
    [
      'telephone.png',
      await pictureWithExif({ exif: telephone }, 'png'),
      '2026-07-31T16:00:00Z',
      'exif',
    ],
    [
      'no-zone.jpg',
      await pictureWithExif({ exif: { DateTimeOriginal: SHOT } }),
      '2026-07-31T10:00:00Z',
      'exif',
    ],
    ['blank-zone.jpg', await pictureWithExif({ exif: blank }), '2026-07-31T10:00:00Z', 'exif'],
    [
      'big-endian.jpg',
      jpegWithExif(exifBytes([[ORIGINAL, '2026-01-31 12:00:00']], 'MM')),
      '2026-01-31T11:00:00Z',
      'exif',
    ],
    [
      'cam1/20260131-083005.jpg',
      await pictureWithExif({ exif: unset }),
      '2026-01-31T07:30:05Z',
      'filename',
    ],
    ['plain.jpg', await drawPicture('jpeg'), '2026-03-01T00:00:00Z', 'mtime'],
  ]
  const answers = Object.fromEntries(
    photos.map(([, bytes]) => [hash('sha256', bytes), { results: RESULTS }]),
  )
  await using place = await createWorkplace({ sandbox: { answers } })
  for (const [name, bytes] of photos) await place.write(name, bytes)
  const written = new Date('2026-03-01T00:00:00Z')
  await utimes(join(place.folder, 'plain.jpg'), written, written)

  const flags = ['--captured-at', 'exif,filename,mtime', '--timezone', 'Europe/Berlin']
  const { exitCode, summary, stderr } = await place.ingest(
    photos.map(([name]) => name),
    [...flags, '--filename-time', 'YYYYMMDD-HHmmss'],
  )
  expect(exitCode, stderr).toBe(0)
  expect(summary).toMatchObject({ stored: photos.length })
  const told = photos.map(([name, , sent, from]) => [name, sent, from])
  const rows = await place.query<{ source: string; captured_at: Date; from: string }>(
    `SELECT meta->>'source' AS source, captured_at, meta->>'captured_at_from' AS from
     FROM vehicle_snapshots`,
  )
  const kept = rows.map(({ source, captured_at, from }) => [
    source,
    captured_at.toISOString().replace('.000Z', 'Z'),
    from,
  ])
  expect(kept.toSorted()).toEqual(told.toSorted())
  const sent = place.sandbox.lookups.map(({ fields }) => fields['timestamp'])
  expect(sent.toSorted()).toEqual(photos.map(([, , time]) => [time]).toSorted())
})

test('the flags of enqueue go with its jobs, and a time that nobody tells is not made up', async () => {
  const told = await pictureWithExif({ exif: { DateTimeOriginal: SHOT } })
  const untold = await drawPicture('jpeg')
  const answers = Object.fromEntries(
    [told, untold].map((bytes) => [hash('sha256', bytes), { results: RESULTS }]),
  )
  await using place = await createWorkplace({ sandbox: { answers } })
  await place.write('told.jpg', told)
  await place.write('untold.jpg', untold)
  expect((await place.run(['migrate'])).exitCode).toBe(0)
  const flags = ['--captured-at', 'exif', '--timezone', 'Asia/Tokyo']
  const input = 'told.jpg\nuntold.jpg\n'
  const put = await place.run(['enqueue', '--images', '-', ...flags], { input })
  expect(put.exitCode, put.stderr).toBe(0)
  const worked = await place.run(['work', '--until-empty', '--delay', '0'])
  expect(worked.exitCode, worked.stderr).toBe(0)
  const rows = await place.query(
    `SELECT captured_at, meta->>'captured_at_from' AS from FROM vehicle_snapshots
     ORDER BY captured_at NULLS LAST`,
  )
  expect(rows).toEqual([
    { captured_at: new Date('2026-07-31T03:00:00Z'), from: 'exif' },
    { captured_at: null, from: null },
  ])
})

test('flags that would give wrong times, or none, are told of before anything is done', async () => {
  await using place = await createWorkplace()
  const { exitCode, stderr } = await place.ingest(
    ['samples/gate-sedan-front.jpg'],
    ['--captured-at', 'exif,filename', '--concurrency', '0'],
  )
  expect(exitCode).toBe(2)
  expect(stderr).toContain('--concurrency must be')
  expect(stderr).toContain('--timezone is needed by --captured-at exif,filename: ')
  expect(stderr).toContain('--filename-time is needed by --captured-at filename. ')
  expect(place.sandbox.lookups).toEqual([])
})
