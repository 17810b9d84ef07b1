import type { CaptureTime } from '../capture-time.ts'
import type { PlateReading, Snapshot } from '../normalize.ts'
import { storable } from '../storable.ts'
import type { Wanted } from '../wanted.ts'

/** An image that is confirmed stored, as far as its rows tell of it. */
export interface StoredImage {
  sha256: string
  mime: string | undefined
  /** Bytes. */
  size: number | undefined
  source: string | undefined
  /** What `image_url` will hold. */
  url: string | undefined
  object: S3Object | undefined
  /** When it was taken, where that does not come from the answer. */
  captured?: CaptureTime | undefined
}

/** With what was asked about it. */
export interface SnapshotImage extends StoredImage {
  /** The camera sent with the lookup, for answers that do not repeat it. */
  cameraId: string | undefined
  /** What its line asked to have in `meta`. */
  meta: Wanted['meta']
}

/** A place in an S3 bucket. */
export interface S3Object {
  bucket: string
  key: string
}

/** `s3://bucket/key` */
export function nameOf({ bucket, key }: S3Object): string {
  return `s3://${bucket}/${key}`
}

/** When the vehicle of a row `v` was seen, as idx_vehicle_seen_at and idx_vehicle_camera have it. */
export const SEEN_AT = 'coalesce(v.captured_at, v.created_at)'
/** Where the image of a row `v` is, as JSON; its ledger entry `l` (joined, perhaps missing) says so before the row does. */
export const OBJECT_OF = `CASE WHEN l.s3_key IS NULL THEN v.meta->'s3'
              ELSE jsonb_build_object('bucket', l.s3_bucket, 'key', l.s3_key) END`

/** What one row tells: an image, the answer to its lookup, and one reading of it. */
interface SnapshotRow {
  image: SnapshotImage
  snapshot: Snapshot
  reading: PlateReading
}

/**
 * The columns of `vehicle_snapshots` that are written, and where each comes from. `raw_response` and `image_data` are
 * copied from the ledger inside the database, and `id`, `created_at` and `updated_at` are the database's own.
 */
export const SNAPSHOT_COLUMNS = {
  snapshot_ref: ({ snapshot, image }: SnapshotRow) => snapshot.ref ?? image.sha256,
  camera_id: ({ snapshot, image }: SnapshotRow) => snapshot.cameraId ?? image.cameraId,
  captured_at: (row: SnapshotRow) => capturedOf(row).at,
  plate_text: ({ reading }: SnapshotRow) => reading.plate,
  plate_confidence: ({ reading }: SnapshotRow) => reading.score,
  makes_models: ({ reading }: SnapshotRow) => reading.makesModels,
  colors: ({ reading }: SnapshotRow) => reading.colors,
  bbox: ({ reading }: SnapshotRow) => reading.box,
  image_url: ({ image }: SnapshotRow) => image.url,
  image_mime: ({ image }: SnapshotRow) => image.mime,
  image_size: ({ image }: SnapshotRow) => image.size,
  image_sha256: ({ image }: SnapshotRow) => image.sha256,
  meta: metaOf,
  result_index: ({ reading }: SnapshotRow) => reading.index,
} as const satisfies Record<string, (row: SnapshotRow) => unknown>

/** `meta`: what is known beyond the columns, and what its line adds; what is not known has no key. */
function metaOf(row: SnapshotRow): Record<string, unknown> {
  const { image, snapshot, reading } = row
  const known = {
    source: image.source,
    region: reading.region,
    vehicle_type: reading.vehicleType,
    vehicle_score: reading.vehicleScore,
    vehicle_box: reading.vehicleBox,
    dscore: reading.dscore,
    candidates: reading.candidates,
    orientation: reading.orientations,
    direction: reading.direction,
    direction_score: reading.directionScore,
    captured_at_from: capturedOf(row).from,
    s3: image.object,
    mended: snapshot.mended,
  }
  // A key of the tool's own means what the README says it does.
  const told = Object.entries(known).filter(([, value]) => value !== undefined)
  return { ...image.meta, ...Object.fromEntries(told) }
}

/** When the image was taken, and who told. What is known here wins over what the answer makes of it. */
function capturedOf({ image, snapshot }: SnapshotRow): { at?: string; from?: string } {
  const { captured } = image
  if (captured === undefined) {
    return snapshot.capturedAt === undefined ? {} : { at: snapshot.capturedAt, from: 'api' }
  }
  return captured.from === 'nobody' ? {} : captured
}

const COLUMNS = Object.keys(SNAPSHOT_COLUMNS)
const REPLACED = COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')

/**
 * The images given, once more as an array: PostgreSQL takes a list given as JSON for a hundred rows and would read whole
 * tables for them, an array for ten, which an index finds.
 */
export const THESE = 'ANY (ARRAY(SELECT sha256 FROM given))'

/** What one image is to be told of, besides what its statement needs: the rows as JSON, by column. */
interface Writing {
  /** Further columns of the images given, with their types. */
  columns: string
  /** Which images are written at all; `l` the ledger's entry, `g` the image given. */
  where: string
  /** What else changes in the ledger's entry. */
  set: string
  /** Which rows `v` go. */
  gone: string
}

/**
 * One statement for many images, all of it or nothing: their ledger entries change, their rows come and go, and their
 * bytes are in rows, or wait in the ledger as long as no row holds them. Rows that are there keep their ids.
 * $1 images [{sha256, readings: rows by column, …}]. Gives the SHA-256 of those that were written.
 */
export function writing({ columns, where, set, gone }: Writing): string {
  return `
  WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS g (sha256 text, readings jsonb, ${columns})
  ), had AS MATERIALIZED (
    SELECT g.*,
      coalesce(l.image_data, (SELECT v.image_data FROM vehicle_snapshots v
                              WHERE v.image_sha256 = g.sha256 AND v.image_data IS NOT NULL LIMIT 1)) AS bytes,
      g.readings <> '[]' OR EXISTS (
        SELECT 1 FROM vehicle_snapshots v WHERE v.image_sha256 = g.sha256 AND v.image_data IS NOT NULL
          AND (v.result_index IS NULL OR NOT (${gone}))) AS is_in_rows
    FROM given g JOIN plate_lookups l ON l.image_sha256 = g.sha256 AND l.image_sha256 = ${THESE}
  ), entry AS (
    UPDATE plate_lookups l SET ${set} image_data = CASE WHEN NOT g.is_in_rows THEN g.bytes END
    FROM had g WHERE l.image_sha256 = g.sha256 AND l.image_sha256 = ${THESE} AND (${where})
    RETURNING l.image_sha256, l.response
  ), removed AS (
    DELETE FROM vehicle_snapshots v USING entry e, given g
    WHERE v.image_sha256 = ${THESE} AND v.image_sha256 = e.image_sha256 AND g.sha256 = e.image_sha256
      AND v.result_index IS NOT NULL AND (${gone})
  ), written AS (
    INSERT INTO vehicle_snapshots (${COLUMNS.join(', ')}, raw_response, image_data, created_at, updated_at)
    SELECT ${COLUMNS.map((column) => `r.${column}`).join(', ')}, e.response, g.bytes, now(), now()
    FROM entry e JOIN had g ON g.sha256 = e.image_sha256
    CROSS JOIN LATERAL jsonb_populate_recordset(NULL::vehicle_snapshots, g.readings) r
    ON CONFLICT (image_sha256, result_index) WHERE result_index IS NOT NULL DO UPDATE SET ${REPLACED},
      raw_response = excluded.raw_response, image_data = excluded.image_data, updated_at = now()
  )
  SELECT image_sha256 AS sha256 FROM entry`
}

/** Rows as `writing` takes them: the columns of one image's readings. */
export function toRows(
  image: SnapshotImage,
  snapshot: Snapshot,
  readings: readonly PlateReading[],
): Record<string, unknown>[] {
  return readings.map((reading) =>
    Object.fromEntries(
      Object.entries(SNAPSHOT_COLUMNS).map(([column, cellOf]) => [
        column,
        storable(cellOf({ image, snapshot, reading })),
      ]),
    ),
  )
}
