import {
  type DeleteMarkerEntry,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  NoSuchKey,
  type ObjectIdentifier,
  type ObjectVersion,
  type S3Client,
} from '@aws-sdk/client-s3'
import { nameOf, type S3Object } from '../db/snapshots.ts'
import { StorageError } from '../errors.ts'
import { storageError } from './s3-errors.ts'

/** Deletes an object for good, with all its versions; that it is not there is no error. @throws {StorageError} */
export async function removeObject(
  client: S3Client,
  object: S3Object,
  abortSignal: AbortSignal,
): Promise<void> {
  const { bucket: Bucket, key: Key } = object
  let what = 'could not be deleted'
  try {
    const removed = await client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal })
    if (removed.DeleteMarker !== true) return
    // In a bucket with versions that only hid what was there.
    what = 'is hidden by a delete marker, and its versions could not be deleted'
    for (const version of await versionsOf(client, object, abortSignal)) {
      const { VersionId } = version
      await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }), { abortSignal })
    }
  } catch (thrown) {
    abortSignal.throwIfAborted()
    // Google's compatible interface says so; others take it for done.
    if (thrown instanceof NoSuchKey) return
    throw removalError(thrown, `${nameOf(object)} ${what}`)
  }
}

/** Markers of deletions are versions too, and go last: an object that is half gone does not come to light again. */
async function versionsOf(
  client: S3Client,
  { bucket: Bucket, key }: S3Object,
  abortSignal: AbortSignal,
): Promise<ObjectIdentifier[]> {
  const versions: ObjectIdentifier[] = []
  const markers: ObjectIdentifier[] = []
  const isIts = ({ Key }: ObjectVersion | DeleteMarkerEntry) => Key === key
  for (let from: { KeyMarker?: string; VersionIdMarker?: string } = {}; ; ) {
    const list = new ListObjectVersionsCommand({ Bucket, Prefix: key, ...from })
    const page = await client.send(list, { abortSignal })
    for (const { VersionId } of (page.Versions ?? []).filter(isIts)) {
      versions.push({ Key: key, VersionId })
    }
    for (const { VersionId } of (page.DeleteMarkers ?? []).filter(isIts)) {
      markers.push({ Key: key, VersionId })
    }
    const { NextKeyMarker, NextVersionIdMarker } = page
    // Keys come in their order, and its own before all that only begin with it.
    if (page.IsTruncated !== true || NextKeyMarker !== key) return [...versions, ...markers]
    from = {
      KeyMarker: NextKeyMarker,
      ...(NextVersionIdMarker && { VersionIdMarker: NextVersionIdMarker }),
    }
  }
}

/** Whatever it is, the next deletion would meet it too. */
function removalError(thrown: unknown, what: string): StorageError {
  const { code, message, cause } = storageError(thrown, what)
  if (code === 'storage_down') return new StorageError(code, message, { cause })
  const hint =
    'Give the credentials the right s3:DeleteObject and, in a bucket with versions, s3:ListBucketVersions and s3:DeleteObjectVersion; then run the purge again.'
  return new StorageError('storage_refused', message, { cause, hint })
}
