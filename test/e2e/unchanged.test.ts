import { appendFile, stat, utimes } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startHttpServer } from '../support/http-server.ts'
import { answersFor, pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const LONG_AGO = new Date('2026-01-02T03:04:05Z')

/** Files as a camera left them long ago: what has only just changed is read again in any case. */
async function drawOld(place: Workplace, ...lines: string[]): Promise<string[]> {
  await place.draw(...lines)
  for (const line of lines) await utimes(join(place.folder, line), LONG_AGO, LONG_AGO)
  return lines
}

/** Other bytes in the same file, which nothing but reading it can tell. */
async function spoilUnseen(place: Workplace, line: string): Promise<void> {
  const { size } = await stat(join(place.folder, line))
  await place.write(line, 'x'.repeat(size))
  await utimes(join(place.folder, line), LONG_AGO, LONG_AGO)
}

describe('a local file that is as it was', () => {
  test('is not read again, and all that is told of it is told', async () => {
    const answers = answersFor({ 'car.jpg': [['abc123', 0.9]] })
    await using place = await createWorkplace({ storage: 's3', sandbox: { answers } })
    const lines = await drawOld(place, 'car.jpg', ...names(3))
    const first = await place.ingest(lines)
    expect(first.summary).toMatchObject({ lookups: 4, unchanged: 0, not_modified: 0 })
    for (const line of lines) await spoilUnseen(place, line)

    const second = await place.ingest(lines)
    expect(second.exitCode, second.stderr).toBe(0)
    const counts = { images: 4, duplicate: 4, unchanged: 4, not_modified: 0, bytes: 0, lookups: 0 }
    expect(second.summary).toMatchObject({ ...counts, lookups_saved: 4, attempts: 0 })
    const told = (result: typeof first) =>
      result.images
        .map(({ source, sha256, mime, size, plates }) => ({ source, sha256, mime, size, plates }))
        .sort((a, b) => (a.source < b.source ? -1 : 1))
    expect(told(second)).toEqual(told(first))
    const forPeople = await place.run(['--images', 'images.txt'])
    expect(forPeople.stdout).toContain(
      '4 known images are as they were when they were last read, and were not read again; --reread reads them.',
    )
  })

  test('is read again with --reread', async () => {
    await using place = await createWorkplace()
    const lines = await drawOld(place, 'car.jpg', 'van.jpg')
    await place.ingest(lines)
    await spoilUnseen(place, 'van.jpg')
    const { summary, images } = await place.ingest(lines, ['--reread'])
    expect(summary).toMatchObject({ duplicate: 1, failed: 1, unchanged: 0, lookups: 0 })
    expect(images.find(({ outcome }) => outcome === 'failed')?.error?.code).toBe('not_an_image')
  })

  test('is read and asked about again with --force', async () => {
    await using place = await createWorkplace()
    const lines = await drawOld(place, 'car.jpg')
    await place.ingest(lines)
    expect((await place.ingest(lines, ['--force'])).summary).toMatchObject({
      lookups: 1,
      unchanged: 0,
    })
  })

  test('gets the rows that a lower threshold allows, with their bytes', async () => {
    const answers = answersFor({ 'car.jpg': [['abc123', 0.9]] })
    await using place = await createWorkplace({ sandbox: { answers } })
    const lines = await drawOld(place, 'car.jpg')
    await place.ingest(lines, ['--confidence-threshold', '0.95'])
    const { summary } = await place.ingest(lines)
    expect(summary).toMatchObject({ duplicate: 1, rows: 1, lookups: 0, unchanged: 0 })
    const rows = await place.query('SELECT octet_length(image_data) AS size FROM vehicle_snapshots')
    expect(rows).toEqual([{ size: pictureOf('car.jpg').length }])
  })

  test('counts as known in a dry run', async () => {
    await using place = await createWorkplace()
    const lines = await drawOld(place, 'car.jpg', 'van.jpg')
    await place.ingest(lines)
    for (const line of lines) await spoilUnseen(place, line)
    const { summary } = await place.ingest(lines, ['--dry-run'])
    expect(summary).toMatchObject({ duplicate: 2, unchanged: 2, would_look_up: 0 })
  })

  test('is read again as long as its image has no answer', async () => {
    await using place = await createWorkplace({ sandbox: { fault: () => ({ status: 400 }) } })
    const lines = await drawOld(place, 'car.jpg')
    expect((await place.ingest(lines)).summary).toMatchObject({ failed: 1 })
    place.sandbox.configure({ fault: undefined })
    expect((await place.ingest(lines)).summary).toMatchObject({ no_plate: 1, lookups: 1 })
  })
})

test.each<[what: string, change: (place: Workplace) => Promise<unknown>, lookups: number]>([
  [
    'was touched is read, and known by its bytes',
    ({ folder }) => utimes(join(folder, 'car.jpg'), LONG_AGO, new Date('2026-02-02')),
    0,
  ],
  [
    'was replaced by another of the same time is looked up',
    (place) => drawOtherOld(place, 'car.jpg'),
    1,
  ],
  [
    'has grown is looked up',
    async ({ folder }) => {
      await appendFile(join(folder, 'car.jpg'), 'more')
      await utimes(join(folder, 'car.jpg'), LONG_AGO, LONG_AGO)
    },
    1,
  ],
])('a local file that %s', async (_what, change, lookups) => {
  await using place = await createWorkplace()
  const lines = await drawOld(place, 'car.jpg')
  await place.ingest(lines)
  await change(place)
  const second = { unchanged: 0, lookups, duplicate: 1 - lookups }
  expect((await place.ingest(lines)).summary).toMatchObject(second)
  expect((await place.ingest(lines)).summary).toMatchObject({ unchanged: 1, lookups: 0 })
})

async function drawOtherOld(place: Workplace, line: string): Promise<void> {
  await place.write(line, pictureOf('another.jpg'))
  await utimes(join(place.folder, line), LONG_AGO, LONG_AGO)
}

test('a file that changed a moment ago is read again: it may change within the same tick', async () => {
  await using place = await createWorkplace()
  const lines = await place.draw('car.jpg')
  const soon = new Date(Date.now() + 3_600_000)
  await utimes(join(place.folder, 'car.jpg'), soon, soon)
  await place.ingest(lines)
  expect((await place.ingest(lines)).summary).toMatchObject({ duplicate: 1, unchanged: 0 })
})

describe('a URL that is as it was', () => {
  const CAR = pictureOf('car.jpg')
  const MODIFIED = 'Fri, 02 Jan 2026 03:04:05 GMT'

  /** A server that keeps to RFC 9110: 304 when it is asked for what the client has. */
  const serving =
    (image: Buffer, headers: Record<string, string>): RequestListener =>
    (request, response) => {
      const { 'if-none-match': etag, 'if-modified-since': modified } = request.headers
      const isSame =
        etag === undefined ? modified === headers['last-modified'] : etag === headers['etag']
      const isConditional = etag !== undefined || modified !== undefined
      if (isConditional && isSame) response.writeHead(304, headers).end()
      else response.writeHead(200, headers).end(image)
    }

  test.each<[what: string, headers: Record<string, string>, unchanged: number]>([
    ['by its ETag', { etag: '"v1"' }, 1],
    ['by a weak ETag', { etag: 'W/"v1"' }, 1],
    ['by the time of its last change', { 'last-modified': MODIFIED }, 1],
    ['by nothing', {}, 0],
    [
      'by the time of a change of this second',
      { 'last-modified': new Date(Date.now() + 3_600_000).toUTCString() },
      0,
    ],
  ])('%s is fetched only where that tells', async (_what, headers, unchanged) => {
    await using server = await startHttpServer(serving(CAR, headers))
    await using place = await createWorkplace({ storage: 's3' })
    const lines = [`${server.url}/car.jpg?token=secret`]
    expect((await place.ingest(lines)).summary).toMatchObject({ lookups: 1, unchanged: 0 })
    const { exitCode, summary } = await place.ingest(lines)
    expect(exitCode).toBe(0)
    const bytes = unchanged === 1 ? 0 : CAR.length
    expect(summary).toMatchObject({ duplicate: 1, unchanged, not_modified: unchanged, bytes })
    expect(server.requests).toHaveLength(2)
  })

  test('is fetched and looked up when the server has another by then', async () => {
    await using server = await startHttpServer(serving(CAR, { etag: '"v1"' }))
    await using place = await createWorkplace()
    const lines = [`${server.url}/latest.jpg`]
    await place.ingest(lines)
    server.answerWith(serving(pictureOf('van.jpg'), { etag: '"v2"' }))
    expect((await place.ingest(lines)).summary).toMatchObject({ lookups: 1, unchanged: 0 })
    expect((await place.ingest(lines)).summary).toMatchObject({ duplicate: 1, not_modified: 1 })
    const kept = await place.query('SELECT seen_as FROM image_sources WHERE seen_as IS NOT NULL')
    expect(kept).toEqual([{ seen_as: { etag: '"v2"' } }])
  })

  test('is fetched whole with --reread', async () => {
    await using server = await startHttpServer(serving(CAR, { etag: '"v1"' }))
    await using place = await createWorkplace()
    const lines = [`${server.url}/car.jpg`]
    await place.ingest(lines)
    const { summary } = await place.ingest(lines, ['--reread'])
    expect(summary).toMatchObject({ duplicate: 1, not_modified: 0, bytes: CAR.length })
  })
})
