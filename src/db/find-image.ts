import { z } from 'zod'
import { ImageError } from '../errors.ts'
import type { BoundingBox } from '../normalize.ts'
import type { ImageName } from '../option-schemas.ts'
import { type AnswerFrame, answerFrame, box, maybe, s3Object } from '../stored-values.ts'
import type { Queryable } from './database.ts'
import type { S3Object } from './snapshots.ts'

/** One row, as far as pictures go. */
export interface ImageRow {
  id: string
  plate?: string | undefined
  plateBox?: BoundingBox | undefined
  vehicleBox?: BoundingBox | undefined
  /** Pixels of the image as the API saw it, where its answer tells. */
  answerFrame?: AnswerFrame | undefined
}

/** An image that the database knows. */
export interface KnownImage {
  /** For people: `image …` with its SHA-256, or `the image of row …`. */
  name: string
  /** Undefined: a row of the older tool without one, or with something else in its place. */
  sha256: string | undefined
  mime: string | undefined
  /** Bytes. */
  size: number | undefined
  object: S3Object | undefined
  /** Its rows, in the order of the answer; only the one that was named, where one was. */
  rows: readonly ImageRow[]
}

const ROWS = `
  SELECT id::text, CASE WHEN image_sha256 ~ '^[0-9a-f]{64}$' THEN image_sha256 END AS sha256, image_mime AS mime,
         image_size AS size, meta->'s3' AS object, plate_text AS plate, bbox AS "plateBox",
         meta->'vehicle_box' AS "vehicleBox",
         CASE WHEN meta ? 'lookup_image' THEN '"upright"' ELSE jsonb_build_object(
           'width', raw_response->'image_width', 'height', raw_response->'image_height') END AS "answerFrame"
  FROM vehicle_snapshots WHERE `
const BY_ID = `${ROWS} id = $1::uuid`
const BY_SHA256 = `${ROWS} image_sha256 = $1 ORDER BY result_index, id`
const ENTRY = `
  SELECT image_mime AS mime, image_size AS size, jsonb_build_object('bucket', s3_bucket, 'key', s3_key) AS object
  FROM plate_lookups WHERE image_sha256 = $1`

const stored = z.object({
  mime: maybe(z.string()),
  size: maybe(z.number()),
  object: maybe(s3Object),
})
const storedRow = stored.extend({
  id: z.string(),
  sha256: maybe(z.string()),
  plate: maybe(z.string()),
  plateBox: box,
  vehicleBox: box,
  answerFrame: maybe(answerFrame),
})

/**
 * Finds an image by its name. Where its object is, the ledger says before any row does.
 * @throws {ImageError} `not_known`; a DatabaseError when the database is down
 */
export async function findImage(name: ImageName, database: Queryable): Promise<KnownImage> {
  const [sql, value] = 'id' in name ? [BY_ID, name.id] : [BY_SHA256, name.sha256]
  const rows = (await database.query(sql, [value])).map((row) => storedRow.parse(row))
  const sha256 = 'id' in name ? rows[0]?.sha256 : name.sha256
  const entries = sha256 === undefined ? [] : await database.query(ENTRY, [sha256])
  const places = [...entries.map((entry) => stored.parse(entry)), ...rows]
  if (places.length === 0) {
    const what = 'id' in name ? `no row ${value}` : `no image ${value}`
    throw new ImageError('not_known', `The database has ${what}.`)
  }
  return {
    name: sha256 === undefined ? `the image of row ${value}` : `image ${sha256}`,
    sha256,
    mime: firstOf(places, ({ mime }) => mime),
    size: firstOf(places, ({ size }) => size),
    object: firstOf(places, ({ object }) => object),
    rows,
  }
}

function firstOf<T, Value>(all: readonly T[], of: (one: T) => Value | undefined) {
  return all.map(of).find((value) => value !== undefined)
}
