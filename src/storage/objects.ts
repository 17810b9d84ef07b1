import { createHash } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'
import {
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import type { S3Settings } from '../config.ts'
import { nameOf, type S3Object } from '../db/snapshots.ts'
import { StorageError } from '../errors.ts'
import { readBody } from '../http.ts'
import { FETCH_POLICY, withRetry } from '../retry.ts'
import { removeObject } from './remove-object.ts'
import { createClient } from './s3-client.ts'
import { statusOf, storageError } from './s3-errors.ts'
import { openS3Store, putCommand } from './s3-store.ts'

/** An object that could not be seen: it is not there, or the server does not say. */
type Unseen = { kind: 'missing' } | { kind: 'refused'; said: string }

/** What a server says of an object without sending it; `sha256` is absent where it keeps none. */
export type Look = { kind: 'there'; size: number; sha256: string | undefined } | Unseen

/** What an object's bytes say. */
export type Digest =
  | { kind: 'read'; size: number; sha256: string; mime: string | undefined }
  | Unseen

export type Objects = Awaited<ReturnType<typeof openObjects>>

const PREFIX = 'vehicle-snapshots/'
const PAGE_SIZE = 500
/** Longest time for one object's bytes, in milliseconds. */
const READ_TIMEOUT_MS = 60_000

/**
 * Objects in the bucket of the settings, and in others of the same server, to be looked at and put again.
 * @throws {StorageError} when the bucket cannot be used; every method, when the storage is down
 */
export async function openObjects(settings: S3Settings, signal: AbortSignal) {
  const store = await openS3Store(settings)
  const client = createClient(settings)
  const { bucket } = settings
  // Bytes that do not match are a finding of ours, not an error of the SDK's.
  client.config.responseChecksumValidation = async () => 'WHEN_REQUIRED'

  async function unlessUnseen<T>(object: S3Object, work: () => Promise<T>): Promise<T | Unseen> {
    try {
      return await work()
    } catch (thrown) {
      signal.throwIfAborted()
      if (statusOf(thrown) === 404) return { kind: 'missing' }
      const error = storageError(thrown, `${nameOf(object)} cannot be seen`)
      if (error.code === 'storage_down') throw error
      return { kind: 'refused', said: error.message }
    }
  }

  /** Gets an object and does `use` with its body; a body that breaks off is tried again. */
  function withBody<T>(
    object: S3Object,
    use: (body: Readable, mime: string | undefined) => Promise<T>,
  ): Promise<T | Unseen> {
    const once = async () => {
      const got = await client.send(toGet(object), { abortSignal: signal })
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)])
      const body = got.Body instanceof Readable ? got.Body : Readable.from([])
      return use(addAbortSignal(deadline, body), got.ContentType).catch((thrown) => {
        if (!deadline.aborted) throw thrown
        const late = `${nameOf(object)} did not arrive within ${READ_TIMEOUT_MS / 1_000} s.`
        throw new StorageError('storage_down', late, { cause: thrown })
      })
    }
    const mayPass = (error: Error) => error instanceof StorageError
    return withRetry(() => unlessUnseen(object, once), FETCH_POLICY, mayPass, signal)
  }

  return {
    name: store.name,
    notice: store.notice,
    linkTo: store.linkTo,

    look: (object: S3Object): Promise<Look> =>
      unlessUnseen(object, async () => {
        const { bucket: Bucket, key: Key } = object
        const head = new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' })
        const answer = await client.send(head, { abortSignal: signal })
        return { kind: 'there', size: answer.ContentLength ?? 0, sha256: sha256Told(answer) }
      }),

    /** Hashes the bytes as they come. */
    digest: (object: S3Object): Promise<Digest> =>
      withBody(object, async (body, mime) => {
        const hash = createHash('sha256')
        let size = 0
        for await (const chunk of body) {
          hash.update(chunk)
          size += chunk.length
        }
        return { kind: 'read', size, sha256: hash.digest('hex'), mime }
      }),

    /** The bytes. @throws {BodyTooLargeError} */
    read: (object: S3Object, maxBytes: number) =>
      withBody(object, async (body) => ({
        kind: 'read' as const,
        bytes: await readBody(body, maxBytes),
      })),

    /** Puts an image, whatever is there. @throws {StorageError} */
    async put(
      object: S3Object,
      image: { bytes: Buffer; mime: string | undefined; sha256: string },
    ) {
      try {
        await client.send(putCommand(object, image), { abortSignal: signal })
      } catch (thrown) {
        signal.throwIfAborted()
        throw storageError(thrown, `${nameOf(object)} could not be put`)
      }
    },

    /** Deletes an object for good, with all its versions; one that is not there is no error. @throws {StorageError} */
    remove: (object: S3Object): Promise<void> => removeObject(client, object, signal),

    /** The objects that this tool may have put into the bucket, a page at a time. */
    async *list(): AsyncGenerator<S3Object[]> {
      for (let ContinuationToken: string | undefined; ; ) {
        const asked = { Bucket: bucket, Prefix: PREFIX, MaxKeys: PAGE_SIZE, ContinuationToken }
        // XML cannot hold every character that a key can.
        const list = new ListObjectsV2Command({ ...asked, EncodingType: 'url' })
        const page = await client.send(list, { abortSignal: signal }).catch((thrown) => {
          signal.throwIfAborted()
          throw listingError(thrown, store.name)
        })
        const keyOf = page.EncodingType === 'url' ? decoded : (key: string) => key
        yield (page.Contents ?? []).flatMap(({ Key }) =>
          Key === undefined ? [] : [{ bucket, key: keyOf(Key) }],
        )
        ContinuationToken = page.NextContinuationToken
        if (ContinuationToken === undefined) return
      }
    },

    close() {
      client.destroy()
      store.close()
    },
  }
}

function toGet({ bucket: Bucket, key: Key }: S3Object): GetObjectCommand {
  return new GetObjectCommand({ Bucket, Key })
}

/**
 * The SHA-256 of the whole object, in hex: the server's own checksum, else what was noted with the object. A checksum of
 * parts' checksums (`…-3`, `COMPOSITE`) says nothing about the whole.
 */
function sha256Told({ ChecksumSHA256, ChecksumType, Metadata }: HeadObjectCommandOutput) {
  const isWhole = ChecksumType !== 'COMPOSITE' && /^[A-Za-z0-9+/]{43}=$/.test(ChecksumSHA256 ?? '')
  if (isWhole) return Buffer.from(ChecksumSHA256 ?? '', 'base64').toString('hex')
  const noted = Metadata?.['sha256']
  return noted !== undefined && /^[0-9a-f]{64}$/i.test(noted) ? noted.toLowerCase() : undefined
}

function listingError(thrown: unknown, name: string): StorageError {
  const { code, message, cause } = storageError(thrown, `${name} cannot be listed`)
  const hint = 'Without the right s3:ListBucket, objects that the ledger does not know stay unseen.'
  return new StorageError(code, message, { cause, ...(statusOf(thrown) === 403 && { hint }) })
}

/** A key as `encoding-type=url` gives it: percent-encoded, a blank as `+`. */
function decoded(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '))
}
