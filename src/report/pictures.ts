import { z } from 'zod'
import type { Queryable } from '../db/database.ts'
import { OBJECT_OF, type S3Object, SEEN_AT } from '../db/snapshots.ts'
import type { Place } from '../decoding/thumbnails.ts'
import { answerFrame, box, maybe, s3Object } from '../stored-values.ts'
import type { PICTURES_BY } from '../viewing-flags.ts'
import { type Period, periodValues, within } from './period.ts'

/** Which rows are shown with their pictures. */
export interface PicturesWanted {
  /** At most so many. */
  pictures: number
  picturesBy: (typeof PICTURES_BY)[number]
}

/** A row as the gallery shows it. An older tool's row may lack anything but its id. */
export interface Picture extends Place {
  id: string
  plate?: string | undefined
  /** The reading score. */
  score?: number | undefined
  at?: Date | undefined
  vehicleType?: string | undefined
  make?: string | undefined
  model?: string | undefined
  color?: string | undefined
  region?: string | undefined
  camera?: string | undefined
  source?: string | undefined
  sha256?: string | undefined
  /** Bytes. */
  size?: number | undefined
  object?: S3Object | undefined
}

const ORDER = {
  newest: `${SEEN_AT} DESC NULLS LAST, v.id`,
  'lowest-confidence': `v.plate_confidence ASC NULLS LAST, ${SEEN_AT} DESC NULLS LAST, v.id`,
}
/** No name is longer, and no card needs more of one. */
const text = (value: string) => `left(nullif(${value}, ''), 500)`
/** Nothing for a number that JavaScript has not. */
const finiteOf = (value: string) => `CASE WHEN abs(${value}) < 1e300 THEN (${value})::float8 END`
const number = (value: string) =>
  `CASE WHEN jsonb_typeof(${value}) = 'number' THEN ${finiteOf(`(${value} #>> '{}')::numeric`)} END`

const PICTURES = `
  SELECT v.id, ${text('v.plate_text')} AS plate, ${finiteOf('v.plate_confidence')} AS score,
         (extract(epoch FROM ${SEEN_AT}) * 1000)::float8 AS at,
         ${text("v.meta->>'vehicle_type'")} AS "vehicleType",
         ${text("v.makes_models #>> '{0,make}'")} AS make, ${text("v.makes_models #>> '{0,model}'")} AS model,
         ${text("v.colors #>> '{0,color}'")} AS color, ${text("v.meta #>> '{region,code}'")} AS region,
         ${text('v.camera_id')} AS camera, ${text("v.meta->>'source'")} AS source, v.bbox AS box,
         v.image_sha256 AS sha256, coalesce(l.image_size, v.image_size) AS size,
         ${OBJECT_OF} AS object,
         CASE WHEN v.meta ? 'lookup_image' THEN '"upright"' ELSE
           jsonb_build_object('width', ${number("v.raw_response->'image_width'")},
                              'height', ${number("v.raw_response->'image_height'")}) END AS "answerFrame"
  FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, place)
  JOIN vehicle_snapshots v USING (id) LEFT JOIN plate_lookups l ON l.image_sha256 = v.image_sha256
  ORDER BY place`

const string = maybe(z.string())
const finite = maybe(z.number())
const picture = z.object({
  id: z.string(),
  plate: string,
  score: finite,
  at: maybe(z.number().transform((ms) => new Date(ms))).transform(real),
  vehicleType: string,
  make: string,
  model: string,
  color: string,
  region: string,
  camera: string,
  source: string,
  box,
  sha256: string,
  size: finite,
  object: maybe(s3Object),
  answerFrame: maybe(answerFrame),
})

/** The ids of the rows that are wanted, in their order. */
export async function readPictureIds(
  queryable: Queryable,
  { pictures, picturesBy, ...period }: PicturesWanted & Period,
): Promise<string[]> {
  if (pictures === 0) return []
  const found = await queryable.query<{ id: string }>(
    `SELECT v.id FROM vehicle_snapshots v WHERE ${within(SEEN_AT)} ORDER BY ${ORDER[picturesBy]} LIMIT $3`,
    [...periodValues(period), String(pictures)],
  )
  return found.map(({ id }) => id)
}

/** What the cards of these rows say, in the order given; a row that is gone by now is left out. */
export async function readPictures(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Picture[]> {
  const rows = await queryable.query(PICTURES, [`{${ids.join()}}`])
  return rows.map((row) => picture.parse(row))
}

/** `infinity` is no time that can be shown. */
function real(at: Date | undefined): Date | undefined {
  return at !== undefined && !Number.isNaN(at.getTime()) ? at : undefined
}
