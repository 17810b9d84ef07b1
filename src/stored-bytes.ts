import { type Environment, readSettings, type S3Settings } from './config.ts'
import type { Queryable } from './db/database.ts'
import { nameOf, type S3Object } from './db/snapshots.ts'
import { BodyTooLargeError } from './http.ts'
import { sha256Of } from './sha256.ts'
import type { Objects } from './storage/objects.ts'

/** An image and where its bytes may be. */
export interface Whereabouts {
  sha256: string
  /** Bytes. */
  size: number | undefined
  object?: S3Object | undefined
}

/** The bytes of an image, their SHA-256 seen to be right, or why there are none. */
export type FoundBytes = { bytes: Buffer; from: string } | { bytes: undefined; why: string }

const IN_DATABASE = `
  SELECT image_data AS bytes FROM (
    SELECT image_data FROM plate_lookups WHERE image_sha256 = $1
    UNION ALL SELECT image_data FROM vehicle_snapshots WHERE image_sha256 = $1
  ) copies
  WHERE image_data IS NOT NULL AND encode(sha256(image_data), 'hex') = $1 LIMIT 1`
const IN_ROW =
  'SELECT image_data AS bytes FROM vehicle_snapshots WHERE id = $1::uuid AND image_data IS NOT NULL'
type Row = { bytes: Uint8Array }

/** Of an image whose size nobody noted, in bytes. */
const MOST_BYTES = 100_000_000

/** As many bytes as an image may have. */
export function mostBytesOf({ size }: Pick<Whereabouts, 'size'>): number {
  return size ?? MOST_BYTES
}

/**
 * The stored bytes of an image: from the database, else from its object.
 * @throws {IngestError} when the database or the storage is down
 */
export async function storedBytes(
  image: Whereabouts,
  database: Queryable,
  objects: Objects | undefined,
): Promise<FoundBytes> {
  const rows = await database.query<Row>(IN_DATABASE, [image.sha256])
  return fromRow(rows) ?? fromObject(image, objects)
}

/**
 * The bytes of a row of the older tool that has no SHA-256: from the row, else from the object that it names. There is
 * nothing to check them by.
 * @throws {IngestError} when the database or the storage is down
 */
export async function uncheckedBytes(
  { id, object }: { id: string; object: S3Object | undefined },
  database: Queryable,
  objects: Objects | undefined,
): Promise<FoundBytes> {
  const rows = await database.query<Row>(IN_ROW, [id])
  return fromRow(rows) ?? fromObject({ sha256: undefined, size: undefined, object }, objects)
}

function fromRow([row]: readonly Row[]): FoundBytes | undefined {
  if (row === undefined) return undefined
  const { buffer, byteOffset, byteLength } = row.bytes
  return { bytes: Buffer.from(buffer, byteOffset, byteLength), from: 'the database' }
}

/** @param image without a SHA-256 its bytes are taken as they are */
async function fromObject(
  image: Omit<Whereabouts, 'sha256'> & { sha256: string | undefined },
  objects: Objects | undefined,
): Promise<FoundBytes> {
  const { sha256, object } = image
  if (object === undefined) return { bytes: undefined, why: 'The database holds no bytes of it.' }
  const name = nameOf(object)
  if (objects === undefined) {
    const why = `It is ${name}, and S3 is not set up: set S3_BUCKET and the AWS settings.`
    return { bytes: undefined, why }
  }
  const got = await objects.read(object, mostBytesOf(image)).catch((thrown) => {
    if (thrown instanceof BodyTooLargeError) return undefined
    throw thrown
  })
  if (got?.kind === 'read' && (sha256 === undefined || sha256Of(got.bytes) === sha256))
    return { bytes: got.bytes, from: name }
  if (got?.kind === 'missing') return { bytes: undefined, why: `${name} is not there.` }
  if (got?.kind === 'refused') return { bytes: undefined, why: got.said }
  return { bytes: undefined, why: `${name} holds other bytes than were stored.` }
}

/**
 * The objects of the bucket that the settings name; undefined when S3 is not set up. With `STORE_IMAGES=db` the ledger may
 * know objects of earlier runs, in a bucket that is still set.
 */
export async function openStoredObjects(
  env: Environment,
  signal: AbortSignal,
): Promise<Objects | undefined> {
  const settings = s3SettingsOf(env)
  if (settings === undefined) return undefined
  const { openObjects } = await import('./storage/objects.ts')
  return openObjects(settings, signal)
}

/** The settings of S3, whatever `STORE_IMAGES` says; undefined when it is not set up. */
export function s3SettingsOf(env: Environment): S3Settings | undefined {
  const read = readSettings({ ...env, STORE_IMAGES: 's3' }, { api: false, storage: true })
  const storage = 'settings' in read ? read.settings.storage : undefined
  return storage?.kind === 's3' ? storage : undefined
}
