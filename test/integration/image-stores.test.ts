import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createByteaStore } from '../../src/storage/bytea-store.ts'
import type { ImageStore } from '../../src/storage/image-store.ts'
import { openS3Store } from '../../src/storage/s3-store.ts'
import type { WantedImage } from '../../src/wanted.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { createBucket } from '../support/databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { openLedger } from '../support/ledgers.ts'
import { s3Settings } from '../support/s3-settings.ts'

/** A store, and a look behind it at the bytes it holds for an image. */
interface Kept extends AsyncDisposable {
  store: ImageStore
  /** What the pipeline does before it stores an image. */
  prepare(image: WantedImage): Promise<void>
  bytesOf(image: WantedImage): Promise<Uint8Array | undefined>
}

async function keptInS3(): Promise<Kept> {
  const { bucket, client, ...created } = await createBucket()
  const store = await openS3Store(s3Settings(bucket))
  return {
    store,
    prepare: async () => {},
    async bytesOf(image) {
      const { key } = store.objectFor(image)
      const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      return got.Body?.transformToByteArray()
    },
    async [Symbol.asyncDispose]() {
      store.close()
      await created[Symbol.asyncDispose]()
    },
  }
}

async function keptInDatabase(opening: Promise<OpenedDatabase>): Promise<Kept> {
  const { database, ...opened } = await opening
  const { ledger, run } = await openLedger(database)
  return {
    store: createByteaStore(ledger.keepBytes),
    async prepare(image) {
      await ledger.claim(image, undefined, new AbortController().signal)
    },
    async bytesOf({ sha256 }) {
      const sql = 'SELECT image_data FROM plate_lookups WHERE image_sha256 = $1'
      const rows = await database.query<{ image_data: Uint8Array | null }>(sql, [sha256])
      return rows[0]?.image_data ?? undefined
    },
    async [Symbol.asyncDispose]() {
      await run.end()
      await opened[Symbol.asyncDispose]()
    },
  }
}

const never = new AbortController().signal
const STORES: [name: string, open: () => Promise<Kept>][] = [
  ['a bucket', keptInS3],
  ...BOTH_DATABASES.map(([name, open]): (typeof STORES)[number] => [
    name,
    () => keptInDatabase(open()),
  ]),
]

describe.each(STORES)('images kept in %s', (_name, openKept) => {
  let kept: Kept
  beforeAll(async () => {
    kept = await openKept()
  })
  afterAll(() => kept[Symbol.asyncDispose]())

  test('are there, byte for byte, once they are put', async () => {
    const image = fetchedImage({
      bytes: Buffer.from(Uint8Array.from({ length: 256 }, (_, n) => n)),
    })
    await kept.prepare(image)
    expect(await kept.store.put(image, never)).toBe(256)
    expect(Buffer.from((await kept.bytesOf(image)) ?? [])).toEqual(image.bytes)
  })

  test('may be large, and put again', async () => {
    const image = fetchedImage({ bytes: Buffer.alloc(3_000_000, 'large') })
    await kept.prepare(image)
    await kept.store.put(image, never)
    await kept.store.put(image, never)
    expect(Buffer.from((await kept.bytesOf(image)) ?? []).equals(image.bytes)).toBe(true)
  })

  test('can be written and read back, says check', async () => {
    await expect(kept.store.check()).resolves.toBeUndefined()
  })

  test('have an address: the source, where there is no object', async () => {
    expect(await kept.store.urlFor(undefined, 'lane-1/car.jpg')).toBe('lane-1/car.jpg')
    expect(await kept.store.urlFor(undefined, undefined)).toBeUndefined()
  })

  test('are spoken of without secrets', async () => {
    const { credentials } = s3Settings('any')
    expect(kept.store.name).not.toContain(credentials?.secretAccessKey)
  })
})

describe('objects', () => {
  test('are called by their SHA-256 and tell it, and their type', async () => {
    await using storage = await createBucket()
    const { bucket: Bucket, client } = storage
    const store = await openS3Store(s3Settings(Bucket))
    const image = fetchedImage({ mime: 'image/png', extension: 'png' })
    const { sha256 } = image
    const Key = `vehicle-snapshots/${sha256.slice(0, 2)}/${sha256}.png`
    expect(store.objectFor(image)).toEqual({ bucket: Bucket, key: Key })

    await store.put(image, never)
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }))
    expect(head.ContentType).toBe('image/png')
    expect(head.ContentLength).toBe(image.size)
    expect(head.Metadata).toEqual({ sha256 })
    store.close()
  })

  test('that are there are not sent again', async () => {
    await using storage = await createBucket()
    const { bucket: Bucket, client } = storage
    const store = await openS3Store(s3Settings(Bucket))
    const image = fetchedImage()
    expect(await store.put(image, never)).toBe(image.size)
    const target = { Bucket, Key: store.objectFor(image).key }
    const first = await client.send(new HeadObjectCommand(target))
    expect(await store.put(image, never)).toBe(0)
    const again = await client.send(new HeadObjectCommand(target))
    expect(again.LastModified).toEqual(first.LastModified)
    store.close()
  })

  test.each<[what: string, changes: { Body: string; Metadata?: Record<string, string> }]>([
    ['of another size', { Body: 'half', Metadata: { sha256: 'true' } }],
    ['without the metadata', { Body: 'same' }],
    ['with the metadata of another', { Body: 'same', Metadata: { sha256: 'other' } }],
  ])('%s under the key are replaced', async (_what, { Body, Metadata }) => {
    await using storage = await createBucket()
    const { bucket: Bucket, client } = storage
    const store = await openS3Store(s3Settings(Bucket))
    const image = fetchedImage()
    const target = { Bucket, Key: store.objectFor(image).key }
    const tells = Metadata?.['sha256'] === 'true' ? { sha256: image.sha256 } : (Metadata ?? {})
    const bytes = Body === 'same' ? Buffer.alloc(image.size) : Buffer.from(Body)
    await client.send(new PutObjectCommand({ ...target, Body: bytes, Metadata: tells }))

    expect(await store.put(image, never)).toBe(image.size)
    const got = await client.send(new GetObjectCommand(target))
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(image.bytes)
    expect(got.Metadata).toEqual({ sha256: image.sha256 })
    store.close()
  })

  test('check leaves nothing behind', async () => {
    await using storage = await createBucket()
    const store = await openS3Store(s3Settings(storage.bucket))
    await store.check()
    store.close()
    const listed = await storage.client.send(new ListObjectsV2Command({ Bucket: storage.bucket }))
    expect(listed.KeyCount ?? 0).toBe(0)
  })
})
