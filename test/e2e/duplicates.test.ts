import { expect, test } from 'vitest'
import { startImageServer } from '../support/image-server.ts'
import { answersFor, pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, names } from '../support/workplace.ts'

const CAR = pictureOf('car.jpg')
const answers = answersFor({ 'car.jpg': [['abc123', 0.9]] })

test.each([
  ['one after another', ['--concurrency', '1'], 0],
  ['all at once while answers are slow', ['--concurrency', '16'], 300],
])('an image listed three times, %s, is looked up once', async (_, flags, latencyMs) => {
  await using images = await startImageServer({ '/gate/car.jpg': CAR })
  await using place = await createWorkplace({ sandbox: { answers, latencyMs } })
  await place.draw('car.jpg')
  await place.write('copies/other name.jpg', CAR)
  const sources = ['car.jpg', 'copies/other name.jpg', `${images.url}/gate/car.jpg`]

  const { exitCode, summary } = await place.ingest(sources, flags)
  expect(exitCode).toBe(0)
  expect(summary).toMatchObject({ images: 3, stored: 1, duplicate: 2, rows: 1 })
  expect(summary).toMatchObject({ lookups: 1, attempts: 1, uploads: 1 })
  expect(place.sandbox.lookups).toHaveLength(1)
  const seen = await place.query('SELECT image_sha256, source FROM image_sources ORDER BY source')
  expect(seen).toEqual(sources.sort().map((source) => ({ image_sha256: sha256Of(CAR), source })))
  expect(await place.query('SELECT plate_text FROM vehicle_snapshots')).toHaveLength(1)
})

test('a list of many copies bills each image once, however they are mixed', async () => {
  await using place = await createWorkplace({ sandbox: { latencyMs: [0, 40] } })
  const originals = await place.draw(...names(10))
  const copies = originals.map((name) => `copy of ${name}`)
  await Promise.all(copies.map((copy, n) => place.write(copy, pictureOf(originals[n] ?? ''))))
  const lines = [...originals, ...copies, ...originals].sort()

  const { summary } = await place.ingest(lines, ['--concurrency', '16'])
  expect(summary).toMatchObject({ images: 30, no_plate: 10, duplicate: 20, lookups: 10 })
  for (const name of originals) {
    expect(place.sandbox.billedCount(sha256Of(pictureOf(name)))).toBe(1)
  }
})

test('two processes on one server database bill an image once', async () => {
  await using place = await createWorkplace({ sandbox: { latencyMs: 100 } })
  const lines = await place.draw(...names(8))
  const runs = await Promise.all([place.ingest(lines), place.ingest(lines)])
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  const [one, other] = runs.map(({ summary }) => summary)
  expect((one?.no_plate ?? 0) + (other?.no_plate ?? 0)).toBe(8)
  expect((one?.duplicate ?? 0) + (other?.duplicate ?? 0)).toBe(8)
  expect(place.sandbox.billedCount()).toBe(8)
})

test('copies of an image whose lookup fails all fail, and it is asked about once', async () => {
  await using place = await createWorkplace({
    sandbox: { fault: () => ({ status: 400, body: '{"error":"no"}' }), latencyMs: 100 },
  })
  await place.draw('car.jpg')
  await place.write('copy.jpg', CAR)
  const { exitCode, summary, images } = await place.ingest(['car.jpg', 'copy.jpg'])
  expect(exitCode).toBe(1)
  expect(summary).toMatchObject({ images: 2, failed: 2, attempts: 1, lookups: 1 })
  expect(images.map(({ error }) => error?.code)).toEqual(['api_rejected', 'api_rejected'])
  expect(place.sandbox.lookups).toHaveLength(1)
})
