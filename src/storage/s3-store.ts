import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { S3Settings } from '../config.ts'
import { nameOf, type S3Object } from '../db/snapshots.ts'
import { StorageError } from '../errors.ts'
import type { FetchedImage } from '../fetch-image.ts'
import type { ImageStore } from './image-store.ts'
import { createClient, orAborted } from './s3-client.ts'
import { statusOf, storageError } from './s3-errors.ts'
import { createLinks, type Links } from './s3-links.ts'

/** An image store whose images are objects. */
export interface S3Store extends ImageStore {
  objectFor(image: FetchedImage): S3Object
  /** A presigned GET link or `s3://bucket/key`, as the settings say. */
  linkTo(object: S3Object): Promise<string>
  /** A presigned GET link, whatever the settings say, good for so many seconds. */
  presign(object: S3Object, expiresS: number): Promise<string>
  /** Presigned links die with the credentials that signed them. */
  readonly hasTemporaryCredentials: boolean
}

/**
 * Images as private objects in a bucket that is seen to exist. With temporary credentials a presigned link would die
 * with them: unless told otherwise, `image_url` then names the object.
 */
export async function openS3Store(settings: S3Settings): Promise<S3Store> {
  const client = createClient(settings)
  try {
    const { sessionToken } = await client.config.credentials()
    await headBucket(client, settings.bucket)
    const hasTemporaryCredentials = sessionToken !== undefined
    const urlStyle = settings.urlStyle ?? (hasTemporaryCredentials ? 'object' : 'presigned')
    const notice =
      hasTemporaryCredentials && settings.urlStyle === undefined
        ? 'The AWS credentials are temporary, and presigned links would die with them: image_url holds s3:// references. S3_URL_STYLE=presigned asks for links all the same.'
        : undefined
    const links = await createLinks(client, settings.bucket)
    const store = createS3Store(client, { ...settings, urlStyle }, links)
    return { ...store, notice, hasTemporaryCredentials }
  } catch (thrown) {
    client.destroy()
    const error = storageError(thrown, `s3://${settings.bucket} cannot be used`)
    // Whatever it is, it would be so for every image.
    if (error.scope === 'run') throw error
    throw new StorageError('storage_refused', error.message, { cause: thrown })
  }
}

/** A key that is written in a link as it is; the older tool may have made others. */
const PLAIN_KEY = /^[\w./-]+$/
/** Statuses of a PUT on the condition that nothing is there: something is, or somebody else is just putting it. */
const IS_THERE = new Set([409, 412])
/** Of servers that know no such condition. A PUT without one says what else may be wrong. */
const NO_CONDITIONS = new Set([400, 501])
/** Statuses of a HEAD that say: not there, or not to be asked. */
const REFUSED_HEAD = new Set([400, 403, 404])

/** Without the right to list, HEAD is forbidden where reading and writing may be allowed. */
async function headBucket(client: S3Client, bucket: string): Promise<void> {
  await client.send(new HeadBucketCommand({ Bucket: bucket })).catch((thrown) => {
    if (statusOf(thrown) !== 403) throw thrown
  })
}

/** Puts an image so that the server refuses a body that does not match: the SHA-256 is signed, and the checksum. */
export function putCommand(
  { bucket, key }: S3Object,
  { bytes, mime, sha256 }: { bytes: Buffer; mime: string | undefined; sha256: string },
  conditions: { IfNoneMatch?: '*' } = {},
): PutObjectCommand {
  return new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    // A Buffer, not a stream: several servers refuse or damage chunked uploads.
    Body: bytes,
    ContentType: mime,
    ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
    Metadata: { sha256 },
    ...conditions,
  })
}

/** Images as private objects `vehicle-snapshots/<first two digits>/<sha256>.<extension>` in a bucket. */
function createS3Store(
  client: S3Client,
  settings: S3Settings,
  links: Links,
): Omit<S3Store, 'hasTemporaryCredentials'> {
  const { bucket, endpoint, urlStyle, urlExpiresS } = settings
  const name = `s3://${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`}`

  /** Is it there as it should be? A forbidden HEAD (no ListBucket right and no object) counts as no. */
  async function isThere(
    { key }: S3Object,
    { size, sha256 }: FetchedImage,
    abortSignal: AbortSignal,
  ) {
    try {
      const command = new HeadObjectCommand({ Bucket: bucket, Key: key })
      const head = await client.send(command, { abortSignal })
      return head.ContentLength === size && head.Metadata?.['sha256'] === sha256
    } catch (thrown) {
      // A refused HEAD says no more than its status; the PUT that follows says what is wrong.
      if (REFUSED_HEAD.has(statusOf(thrown) ?? 0)) return false
      throw thrown
    }
  }

  /** Some compatible servers know no conditions. */
  let knowsConditions = true

  /** Puts an object that should not be there; false when it is, or when the server cannot tell. */
  async function isPutAnew(object: S3Object, image: FetchedImage, signal: AbortSignal) {
    if (!knowsConditions) return false
    try {
      await orAborted(client.send(putCommand(object, image, { IfNoneMatch: '*' })), signal)
      return true
    } catch (thrown) {
      const status = statusOf(thrown) ?? 0
      if (NO_CONDITIONS.has(status)) knowsConditions = false
      else if (!IS_THERE.has(status)) throw thrown
      return false
    }
  }

  const store: ReturnType<typeof createS3Store> = {
    name,
    objectFor: ({ sha256, extension }) => ({
      bucket,
      key: `vehicle-snapshots/${sha256.slice(0, 2)}/${sha256}.${extension}`,
    }),

    async put(image, abortSignal, isNew = false) {
      const object = store.objectFor(image)
      abortSignal.throwIfAborted()
      try {
        if (isNew && (await isPutAnew(object, image, abortSignal))) return image.size
        if (await isThere(object, image, abortSignal)) return 0
        await orAborted(client.send(putCommand(object, image)), abortSignal)
        return image.size
      } catch (thrown) {
        abortSignal.throwIfAborted()
        throw storageError(thrown, `${image.source} could not be stored in ${name}`)
      }
    },

    urlFor: async (object, source) => (object === undefined ? source : store.linkTo(object)),

    linkTo: async (object) =>
      urlStyle === 'object' ? nameOf(object) : store.presign(object, urlExpiresS),

    async presign({ bucket: Bucket, key: Key }, expiresIn) {
      if (Bucket === bucket && PLAIN_KEY.test(Key)) return links.to(Key, expiresIn)
      return getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), { expiresIn })
    },

    async ping() {
      await headBucket(client, bucket).catch((thrown) => {
        throw storageError(thrown, `${name} does not answer`)
      })
    },

    async check() {
      const Key = `vehicle-snapshots/check-${crypto.randomUUID()}`
      const text = 'plate-snapshot check'
      try {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.from(text) }))
        const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
        if ((await got.Body?.transformToString()) !== text) {
          throw new StorageError(
            'storage_refused',
            `${name} gave back something else than was stored.`,
          )
        }
      } catch (thrown) {
        throw storageError(thrown, `${name} cannot be written and read back`)
      }
      // Without the right to delete the object stays; that right is not needed for anything else here.
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key })).catch(() => {})
    },

    close: () => client.destroy(),
  }
  return store
}
