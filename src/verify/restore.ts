import { nameOf, type S3Object } from '../db/snapshots.ts'
import { StorageError } from '../errors.ts'
import type { FoundBytes } from '../stored-bytes.ts'
import type { Whereabouts } from './bytes.ts'
import type { Entry } from './entries.ts'
import { keepBytes } from './mend.ts'
import type { Mended } from './problem.ts'
import type { Verification } from './verification.ts'

const STILL_KNOWN = 'SELECT 1 FROM plate_lookups WHERE image_sha256 = $1'

/** Puts an object again, from bytes whose SHA-256 is right. */
export async function restoreObject(
  entry: Entry,
  object: S3Object,
  { bytes, objects, database }: Verification,
): Promise<Mended> {
  if (objects === undefined) {
    return { isMended: false, said: 'Set S3_BUCKET and the AWS settings to have it looked at.' }
  }
  const found = await bytes.find(whereabouts(entry))
  if (found.bytes === undefined) return notFound(found)
  const image = { bytes: found.bytes, mime: entry.mime ?? undefined, sha256: entry.sha256 }
  try {
    await objects.put(object, image)
  } catch (thrown) {
    if (!(thrown instanceof StorageError) || thrown.code === 'storage_down') throw thrown
    return { isMended: false, said: `${thrown.message} ${thrown.hint}` }
  }
  if ((await database.query(STILL_KNOWN, [entry.sha256])).length === 0) {
    await objects.remove(object)
    return { isMended: false, said: 'The image was purged meanwhile, and its object is gone too.' }
  }
  return { isMended: true, said: `${nameOf(object)} was put again from ${found.from}.` }
}

/** Writes an image's bytes into the database again. @param mayFill also where there are none */
export async function restoreBytes(
  entry: Entry,
  mayFill: boolean,
  { bytes, database }: Verification,
): Promise<Mended> {
  const { bucket, key } = entry
  const object = bucket !== null && key !== null ? { bucket, key } : undefined
  const found = await bytes.find({ ...whereabouts(entry), object })
  if (found.bytes === undefined) return notFound(found)
  await keepBytes(database, entry.sha256, found.bytes, mayFill)
  return { isMended: true, said: `They were written again from ${found.from}.` }
}

function whereabouts({ sha256, size, source }: Entry): Whereabouts {
  return { sha256, size: size ?? undefined, source: source ?? undefined }
}

function notFound({ why }: Extract<FoundBytes, { bytes: undefined }>): Mended {
  return { isMended: false, said: why }
}
