import type { PlateReading, Snapshot } from '../normalize.ts'
import type { Queryable } from './database.ts'

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
}

/** With what was asked about it. */
export interface SnapshotImage extends StoredImage {
  /** The camera sent with the lookup, for answers that do not repeat it. */
  cameraId: string | undefined
}

/** A place in an S3 bucket. */
export interface S3Object {
  bucket: string
  key: string
}

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
  captured_at: ({ snapshot }: SnapshotRow) => snapshot.capturedAt,
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

/** `meta`: what is known beyond the columns; what is not known has no key. */
function metaOf({ image, reading }: SnapshotRow): Record<string, unknown> {
  return {
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
    s3: image.object,
  }
}

const COLUMNS = Object.keys(SNAPSHOT_COLUMNS)
const REPLACED = COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')

/** One statement however many rows: they go in as one JSON value. $1 rows, $2 the image's SHA-256. */
function insertSql(onConflict: string): string {
  return `
    INSERT INTO vehicle_snapshots (${COLUMNS.join(', ')}, raw_response, image_data, created_at, updated_at)
    SELECT ${COLUMNS.map((column) => `r.${column}`).join(', ')}, l.response,
           coalesce(l.image_data, (SELECT v.image_data FROM vehicle_snapshots v
                                   WHERE v.image_sha256 = $2 AND v.image_data IS NOT NULL LIMIT 1)),
           now(), now()
    FROM jsonb_populate_recordset(NULL::vehicle_snapshots, $1::jsonb) r, plate_lookups l
    WHERE l.image_sha256 = $2
    ON CONFLICT (image_sha256, result_index) WHERE result_index IS NOT NULL ${onConflict}`
}

const REPLACE = insertSql(`DO UPDATE SET ${REPLACED}, raw_response = excluded.raw_response,
                                        image_data = excluded.image_data, updated_at = now()`)
const ADD = insertSql('DO NOTHING')

/** Bytes wait in the ledger as long as no row holds them. $1 the image's SHA-256, $2 the rows that will go. */
const KEEP_BYTES = `
  UPDATE plate_lookups l SET image_data = v.image_data FROM vehicle_snapshots v
  WHERE l.image_sha256 = $1 AND l.image_data IS NULL AND v.image_sha256 = $1 AND v.image_data IS NOT NULL
    AND v.result_index = ANY ($2::int[])`
const REMOVE =
  'DELETE FROM vehicle_snapshots WHERE image_sha256 = $1 AND result_index = ANY ($2::int[])'
const DROP_BYTES = `
  UPDATE plate_lookups SET image_data = NULL
  WHERE image_sha256 = $1 AND image_data IS NOT NULL
    AND EXISTS (SELECT 1 FROM vehicle_snapshots v WHERE v.image_sha256 = $1 AND v.image_data IS NOT NULL)`

/** What to do with an image's rows, by their places in the answer. Only in a transaction that holds its ledger entry. */
export interface RowChanges {
  image: SnapshotImage
  snapshot: Snapshot
  /** Readings that get a row. */
  kept: readonly PlateReading[]
  /** A new answer replaces rows that are there (ids stay); else they are left as they are. */
  isNewAnswer: boolean
  /** Places whose rows go. */
  removed: readonly number[]
}

/** Brings the rows of one image in line with its answer in the ledger, and its bytes to where they belong. */
export async function writeRows(
  queryable: Queryable,
  { image, snapshot, kept, isNewAnswer, removed }: RowChanges,
): Promise<void> {
  const { sha256 } = image
  if (removed.length > 0) {
    const places = `{${removed.join(',')}}`
    await queryable.query(KEEP_BYTES, [sha256, places])
    await queryable.query(REMOVE, [sha256, places])
  }
  if (kept.length > 0) {
    const records = kept.map((reading) => toRecord({ image, snapshot, reading }))
    await queryable.query(isNewAnswer ? REPLACE : ADD, [JSON.stringify(records), sha256])
  }
  if (removed.length > 0 || kept.length > 0) await queryable.query(DROP_BYTES, [sha256])
}

function toRecord(row: SnapshotRow): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(SNAPSHOT_COLUMNS).map(([column, cellOf]) => [column, cellOf(row)]),
  )
}
