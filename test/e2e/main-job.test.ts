import { readFile } from 'node:fs/promises'
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { SAMPLE_ANSWERS, SAMPLES, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const EXAMPLE = await readFile(new URL('../../images.txt.example', import.meta.url), 'utf8')
const LINES = EXAMPLE.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
const COPY = 'samples/copy-of-gate-sedan-front.jpg'
const RUN = ['--images', 'images.txt.example', '--delay', '0', '--mmc', '--json']

interface Row {
  id: string
  image_sha256: string
  raw_response: { filename: string; timestamp: string }
  captured_at: Date
  created_at: Date
  updated_at: Date
  image_url: string
  image_data: Uint8Array | null
}

/** What the rows must say: the sandbox's answers, column by column, under the contract's names. */
function expectedRows({ bucket }: Workplace) {
  const sources = LINES.filter((line) => line !== COPY)
  const rows = sources.flatMap((source) => {
    const [sha256 = '', answer] =
      Object.entries(SAMPLE_ANSWERS).find(([, { file }]) => source.endsWith(`/${file}`)) ?? []
    return (answer?.results ?? []).map((result, index) => ({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}$/),
      snapshot_ref: expect.stringMatching(/^\d{4}_\w{5}_.*\.(jpg|png)$/),
      camera_id: null,
      captured_at: expect.any(Date),
      plate_text: result.plate,
      plate_confidence: String(result.score),
      makes_models: result.model_make,
      colors: result.color,
      bbox: result.box,
      raw_response: expect.objectContaining({ version: 1, results: answer?.results }),
      image_url: bucket === undefined ? source : expect.stringContaining(`${sha256}.`),
      image_data: bucket === undefined ? expect.any(Uint8Array) : null,
      image_mime: source.endsWith('.png') ? 'image/png' : 'image/jpeg',
      image_size: expect.any(Number),
      image_sha256: sha256,
      meta: {
        source,
        region: result.region,
        vehicle_type: result.vehicle?.type,
        vehicle_score: result.vehicle?.score,
        vehicle_box: result.vehicle?.box,
        dscore: result.dscore,
        candidates: result.candidates,
        orientation: result.orientation,
        captured_at_from: 'api',
        ...(bucket && { s3: { bucket: bucket.bucket, key: keyOf(sha256, source) } }),
      },
      created_at: expect.any(Date),
      updated_at: expect.any(Date),
      result_index: index,
    }))
  })
  return rows.sort((a, b) => (keyOfRow(a) < keyOfRow(b) ? -1 : 1))
}

function keyOfRow(row: { image_sha256: string; result_index: number }): string {
  return row.image_sha256 + row.result_index
}

function keyOf(sha256: string, source: string): string {
  return `vehicle-snapshots/${sha256.slice(0, 2)}/${sha256}.${source.slice(-3)}`
}

describe.each([
  ['server PostgreSQL with S3', { database: 'server', storage: 's3' }],
  ['embedded PostgreSQL with images in the database', { database: 'embedded', storage: 'db' }],
] as const)('the example list on %s', (_, options) => {
  let place: Workplace
  let first: CliResult
  const readRows = () =>
    place.query<Row>('SELECT * FROM vehicle_snapshots ORDER BY image_sha256, result_index')

  beforeAll(async () => {
    place = await createWorkplace(options)
    await place.write('images.txt.example', EXAMPLE)
    first = await place.run(RUN)
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('ends well, with five outcomes that add up to the images', () => {
    expect(first.exitCode).toBe(0)
    expect(first.summary).toMatchObject({ images: 12, stored: 10, no_plate: 1, duplicate: 1 })
    expect(first.summary).toMatchObject({ below_threshold: 0, failed: 0, rows: 11, stopped: null })
    expect(first.summary).toMatchObject({ lookups: 11, attempts: 11, uploads: 11 })
    const { images, stored, below_threshold, no_plate, duplicate, failed } = first.summary
    expect(stored + below_threshold + no_plate + duplicate + failed).toBe(images)
    expect(place.sandbox.billedCount()).toBe(11)
  })

  test('tells of each image as the contract says', async () => {
    expect(first.images).toHaveLength(12)
    for (const image of first.images) {
      const bytes = await readFile(SAMPLES.replace(/samples\/$/, image.source))
      const sha256 = sha256Of(bytes)
      const results = SAMPLE_ANSWERS[sha256]?.results ?? []
      const isCopy = image.source === COPY
      expect(image).toEqual({
        event: 'image',
        line: EXAMPLE.split('\n').indexOf(image.source) + 1,
        source: image.source,
        outcome: isCopy ? 'duplicate' : results.length === 0 ? 'no_plate' : 'stored',
        sha256,
        mime: image.source.endsWith('.png') ? 'image/png' : 'image/jpeg',
        size: bytes.length,
        lookup: !isCopy,
        plates: results.map(({ plate, score }) => ({
          plate_text: plate,
          plate_confidence: score,
          stored: true,
        })),
        ms: expect.any(Number),
      })
    }
    expect(first.records.at(-1)).toEqual(first.summary)
    expect(first.records).toHaveLength(13)
  })

  test('writes one row a vehicle, each column as the API answered', async () => {
    const rows = await readRows()
    expect(rows).toEqual(expectedRows(place))
    for (const row of rows) {
      expect(row.captured_at.getTime()).toBe(Date.parse(row.raw_response.timestamp))
    }
  })

  test('keeps the bytes of every image', async () => {
    const { bucket } = place
    if (bucket === undefined) {
      const kept = await place.query<{ sha256: string; data: Uint8Array }>(`
        SELECT image_sha256 AS sha256, image_data AS data FROM vehicle_snapshots
        UNION SELECT image_sha256, image_data FROM plate_lookups WHERE image_data IS NOT NULL`)
      expect(new Set(kept.map(({ sha256 }) => sha256))).toEqual(
        new Set(Object.keys(SAMPLE_ANSWERS)),
      )
      for (const { sha256, data } of kept) expect(sha256Of(data)).toBe(sha256)
      return
    }
    const listed = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.bucket }))
    const keys = Object.entries(SAMPLE_ANSWERS).map(([sha256, { file }]) =>
      keyOf(sha256, file ?? ''),
    )
    expect(listed.Contents?.map(({ Key }) => Key).sort()).toEqual(keys.sort())
    for (const Key of keys) {
      const object = { Bucket: bucket.bucket, Key }
      const head = await bucket.client.send(new HeadObjectCommand(object))
      const sha256 = /([0-9a-f]{64})/.exec(Key)?.[1]
      expect(head.Metadata).toEqual({ sha256 })
      expect(head.ContentType).toBe(Key.endsWith('.png') ? 'image/png' : 'image/jpeg')
      const { Body } = await bucket.client.send(new GetObjectCommand(object))
      expect(sha256Of((await Body?.transformToByteArray()) ?? '')).toBe(sha256)
    }
  })

  test('a second time asks nothing, uploads nothing and writes nothing', async () => {
    const before = await readRows()
    place.sandbox.reset()
    const second = await place.run(RUN)
    expect(second.exitCode).toBe(0)
    expect(second.summary).toMatchObject({ images: 12, duplicate: 12, rows: 0 })
    expect(second.summary).toMatchObject({
      lookups: 0,
      attempts: 0,
      uploads: 0,
      asked_differently: 0,
    })
    expect(place.sandbox.lookups).toEqual([])
    expect(await readRows()).toEqual(before)
  })

  test('answers the example queries', async () => {
    const toyotas = `SELECT plate_text FROM vehicle_snapshots WHERE makes_models @> '[{"make": "Toyota"}]'`
    const sure = 'SELECT count(*)::int AS n FROM vehicle_snapshots WHERE plate_confidence > 0.9'
    expect(await place.query(`${toyotas} ORDER BY 1`)).toEqual([
      { plate_text: 'ae010i' },
      { plate_text: 'iq70otx' },
    ])
    const scores = Object.values(SAMPLE_ANSWERS).flatMap(({ results }) =>
      results.map(({ score }) => score),
    )
    expect(await place.query(sure)).toEqual([{ n: scores.filter((score) => score > 0.9).length }])
  })
})
