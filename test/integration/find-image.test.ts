import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { findImage, type KnownImage } from '../../src/db/find-image.ts'
import { openObjects } from '../../src/storage/objects.ts'
import { storedBytes, uncheckedBytes } from '../../src/stored-bytes.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { createBucket } from '../support/databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates, responseWith } from '../support/ledgers.ts'
import { s3Settings } from '../support/s3-settings.ts'

const NO_ID = '00000000-0000-4000-8000-000000000000'
const never = new AbortController().signal
const box = (xmin: number) => ({ xmin, ymin: 2, xmax: xmin + 2, ymax: 4 })

/** A row of an older tool, which the ledger does not know. @returns its id */
async function insertRow(database: Database, columns: Record<string, unknown>): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO vehicle_snapshots (plate_text, bbox, meta, image_mime, image_size, image_sha256, image_data)
     SELECT plate_text, bbox, meta, image_mime, image_size, image_sha256, decode($2, 'hex')
     FROM jsonb_populate_record(NULL::vehicle_snapshots, $1::jsonb) RETURNING id`,
    [JSON.stringify({ ...columns, image_data: null }), columns['image_data'] ?? null],
  )
  return row?.id ?? ''
}

describe.each(BOTH_DATABASES)('on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())
  test('an image is found by its SHA-256 with all of its rows, and by an id with that row', async () => {
    const { ledger } = await openLedger(database)
    const results = [7, 5].map((xmin, n) => ({
      ...{ plate: `abc${n}`, score: 0.9, box: box(xmin) },
      vehicle: { type: 'Sedan', score: 0.9, box: box(xmin * 10) },
    }))
    const response = responseWith(results, { image_width: 100, image_height: 50 })
    const object = { bucket: 'plates', key: 'a.jpg' }
    const { image } = await answerOf(ledger, response, { object })

    const found = await findImage({ sha256: image.sha256 }, database)
    const answerFrame = { width: 100, height: 50 }
    const { mime, size, sha256 } = image
    expect(found).toMatchObject({ name: `image ${sha256}`, mime, size, sha256, object })
    expect(found.rows).toMatchObject([
      { plate: 'abc0', plateBox: box(7), vehicleBox: box(70), answerFrame },
      { plate: 'abc1', plateBox: box(5), vehicleBox: box(50), answerFrame },
    ])
    const id = found.rows[1]?.id ?? ''
    expect(await findImage({ id }, database)).toEqual({ ...found, rows: [found.rows[1]] })
  })

  test('an image without rows is found by its SHA-256, and what nobody knows is not', async () => {
    const { ledger } = await openLedger(database)
    const { image } = await answerOf(ledger, plates('abc1'), { threshold: 1 })
    const { sha256 } = image
    expect(await findImage({ sha256 }, database)).toMatchObject({ sha256, rows: [] })
    for (const name of [{ id: NO_ID }, { sha256: 'a'.repeat(64) }]) {
      await expect(findImage(name, database)).rejects.toMatchObject({ code: 'not_known' })
    }
  })

  test('the bytes are those of the ledger, of a row or of the object, and no others', async () => {
    await using storage = await createBucket()
    const { ledger } = await openLedger(database)
    const objects = await openObjects(s3Settings(storage.bucket), never)
    const bytesOf = async (sha256: string) => {
      const image = await findImage({ sha256 }, database)
      return storedBytes({ ...image, sha256 }, database, objects)
    }
    const put = (Key: string, Body: Buffer) =>
      storage.client.send(new PutObjectCommand({ Bucket: storage.bucket, Key, Body }))

    for (const threshold of [0, 1]) {
      const image = fetchedImage()
      await ledger.claim(image, undefined, never)
      await ledger.keepBytes(image.sha256, image.bytes)
      await answerOf(ledger, plates('abc1', 'abc2'), { image, isClaimed: true, threshold })
      expect(await bytesOf(image.sha256)).toEqual({ bytes: image.bytes, from: 'the database' })
    }
    const inS3 = fetchedImage()
    const object = { bucket: storage.bucket, key: 'a b.jpg' }
    await answerOf(ledger, plates('abc1'), { image: inS3, object })
    await put(object.key, inS3.bytes)
    const from = `s3://${storage.bucket}/a b.jpg`
    expect(await bytesOf(inS3.sha256)).toEqual({ bytes: inS3.bytes, from })
    await put(object.key, Buffer.from(inS3.bytes.toReversed()))
    const why = `${from} holds other bytes than were stored.`
    expect(await bytesOf(inS3.sha256)).toEqual({ bytes: undefined, why })
    objects.close()
  })

  test("an older tool's row without a SHA-256 has its own bytes, or those of its object, unchecked", async () => {
    await using storage = await createBucket()
    const objects = await openObjects(s3Settings(storage.bucket), never)
    const object = { bucket: storage.bucket, key: 'old.jpg' }
    const body = { Bucket: storage.bucket, Key: object.key, Body: 'object' }
    await storage.client.send(new PutObjectCommand(body))
    const wrong = { bbox: {}, image_sha256: 'unknown', image_size: 3, plate_text: null }
    const rows: [columns: Record<string, unknown>, bytes: string | undefined][] = [
      [{ ...wrong, image_data: Buffer.from('row').toString('hex') }, 'row'],
      [{ ...wrong, meta: { s3: object, vehicle_box: [1, 2] } }, 'object'],
      [
        { bbox: { xmin: 'a', ymin: 0, xmax: 1, ymax: 1 }, meta: { s3: { bucket: 'b' } } },
        undefined,
      ],
      [{ meta: ['s3'] }, undefined],
    ]
    const read = async (image: KnownImage) =>
      uncheckedBytes({ ...image, id: image.rows[0]?.id ?? '' }, database, objects)
    for (const [columns, bytes] of rows) {
      const id = await insertRow(database, columns)
      const image = await findImage({ id }, database)
      expect(image).toMatchObject({ name: `the image of row ${id}`, sha256: undefined })
      expect(image.rows).toEqual([{ ...image.rows[0], id, plateBox: undefined }])
      expect((await read(image)).bytes?.toString()).toBe(bytes)
    }
    objects.close()
  })

  test("an older tool's rows of an image that the ledger does not know are found, and their object", async () => {
    const sha256 = 'c'.repeat(64)
    const object = { bucket: 'old', key: 'c.jpg' }
    await insertRow(database, { image_sha256: sha256, plate_text: 'abc1' })
    await insertRow(database, { image_sha256: sha256, plate_text: 'abc1', meta: { s3: object } })
    const image = await findImage({ sha256 }, database)
    expect(image).toMatchObject({ sha256, object })
    expect(image.rows).toHaveLength(2)
  })
})
