import type { IncomingMessage } from 'node:http'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, inject, test } from 'vitest'
import type { FetchedImage } from '../../src/fetch-image.ts'
import { openS3Store } from '../../src/storage/s3-store.ts'
import { createBucket } from '../support/databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { type Interference, startS3GoBetween } from '../support/s3-go-between.ts'
import { s3Settings } from '../support/s3-settings.ts'

const never = new AbortController().signal
const { verifiesSignatures } = inject('s3')

/** A store of its own, and the methods of the requests about images that go there. */
async function openWatched(interference: Interference = {}) {
  const storage = await createBucket()
  const between = await startS3GoBetween(interference)
  const store = await openS3Store(s3Settings(storage.bucket, { endpoint: between.url }))
  const placeOf = (image: FetchedImage) => ({
    Bucket: storage.bucket,
    Key: store.objectFor(image).key,
  })
  return {
    put: (image: ReturnType<typeof fetchedImage>, isNew: boolean) => store.put(image, never, isNew),
    putByHand: (image: FetchedImage, Body: string) =>
      storage.client.send(new PutObjectCommand({ ...placeOf(image), Body })),
    async bytesOf(image: FetchedImage) {
      const got = await storage.client.send(new GetObjectCommand(placeOf(image)))
      return got.Body?.transformToByteArray()
    },
    asked: () =>
      between.requests
        .filter((request) => request.includes('vehicle-'))
        .map((request) => request.split(' ')[0]),
    async [Symbol.asyncDispose]() {
      store.close()
      await between[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
    },
  }
}

test('an image that nobody knows is put without a question', async () => {
  await using watched = await openWatched()
  const image = fetchedImage()
  expect(await watched.put(image, true)).toBe(image.size)
  expect(watched.asked()).toEqual(['PUT'])
})

test('an image that may be there is asked for, and not sent again', async () => {
  await using watched = await openWatched()
  const image = fetchedImage()
  await watched.put(image, true)
  expect(await watched.put(image, false)).toBe(0)
  expect(watched.asked()).toEqual(['PUT', 'HEAD'])
})

// Servers that do not verify signatures do not know conditions either.
test.runIf(verifiesSignatures)('an image that is there against expectation stays', async () => {
  await using watched = await openWatched()
  const image = fetchedImage()
  await watched.put(image, true)
  expect(await watched.put(image, true)).toBe(0)
  expect(watched.asked()).toEqual(['PUT', 'PUT', 'HEAD'])
})

test.runIf(verifiesSignatures)(
  'what is there in its place and is another is replaced',
  async () => {
    await using watched = await openWatched()
    const image = fetchedImage()
    await watched.putByHand(image, 'something else')
    expect(await watched.put(image, true)).toBe(image.size)
    expect(watched.asked()).toEqual(['PUT', 'HEAD', 'PUT'])
    expect(await watched.bytesOf(image)).toEqual(new Uint8Array(image.bytes))
  },
)

test.each([400, 501])(
  'where conditions are answered with %i every image is asked for first',
  async (status) => {
    const refuse = ({ method, headers }: IncomingMessage) =>
      method === 'PUT' && headers['if-none-match'] !== undefined ? status : undefined
    await using watched = await openWatched({ refuse })
    const images = [fetchedImage(), fetchedImage()] as const
    for (const image of images) expect(await watched.put(image, true)).toBe(image.size)
    expect(watched.asked().slice(-4)).toEqual(['HEAD', 'PUT', 'HEAD', 'PUT'])
  },
)
