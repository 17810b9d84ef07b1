import { expect, inject, test, vi } from 'vitest'
import type { S3Settings } from '../../src/config.ts'
import { openS3Store } from '../../src/storage/s3-store.ts'
import { createBucket } from '../support/databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { s3Settings } from '../support/s3-settings.ts'

const { verifiesSignatures, accessKeyId, secretAccessKey } = inject('s3')

/** A link to an image that was just put, with the store and bucket behind it. */
async function putOne(changes: Partial<S3Settings> = {}) {
  const storage = await createBucket()
  const store = await openS3Store(s3Settings(storage.bucket, changes))
  const image = fetchedImage()
  await store.put(image, new AbortController().signal)
  const link = await store.linkTo(store.objectFor(image))
  return {
    image,
    link,
    async [Symbol.asyncDispose]() {
      store.close()
      await storage[Symbol.asyncDispose]()
    },
  }
}

test('a presigned link opens with a plain GET', async () => {
  await using put = await putOne()
  const response = await fetch(put.link)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('image/jpeg')
  expect(Buffer.from(await response.arrayBuffer())).toEqual(put.image.bytes)
})

test('a link lives as long as the settings say', async () => {
  await using put = await putOne({ urlExpiresS: 604_800 })
  expect(new URL(put.link).searchParams.get('X-Amz-Expires')).toBe('604800')
})

test('a link that lives longer than 7 days cannot be made', async () => {
  await expect(putOne({ urlExpiresS: 604_801 })).rejects.toThrow('one week')
})

test.runIf(verifiesSignatures)('a link does not open with one character changed', async () => {
  await using put = await putOne()
  const { link } = put
  const places = ['X-Amz-Signature=', 'X-Amz-Date=', 'X-Amz-Expires=', 'vehicle-snapshots/']
  for (const place of places) {
    const at = link.indexOf(place) + place.length
    const changed = `${link.slice(0, at)}${link[at] === '3' ? '4' : '3'}${link.slice(at + 1)}`
    const { status } = await fetch(changed)
    expect(status, place).toBeGreaterThanOrEqual(400)
    expect(status, place).toBeLessThan(500)
  }
  expect((await fetch(link)).status).toBe(200)
})

test.runIf(verifiesSignatures)('a link does not open after its expiry', async () => {
  await using put = await putOne({ urlExpiresS: 1 })
  const { link } = put
  await vi.waitUntil(async () => (await fetch(link)).status === 403, {
    timeout: 20_000,
    interval: 100,
  })
})

test('an object is named instead, when the settings ask for that', async () => {
  await using put = await putOne({ urlStyle: 'object' })
  expect(put.link).toMatch(
    /^s3:\/\/test-[0-9a-f]+\/vehicle-snapshots\/[0-9a-f]{2}\/[0-9a-f]{64}\.jpg$/,
  )
})

const temporary = { accessKeyId, secretAccessKey, sessionToken: 'session' }

test.each<[what: string, changes: Partial<S3Settings>, link: RegExp, notice: RegExp | undefined]>([
  ['lasting credentials', {}, /^http/, undefined],
  ['temporary credentials', { credentials: temporary }, /^s3:/, /temporary/],
  [
    'temporary credentials, links asked for',
    { credentials: temporary, urlStyle: 'presigned' },
    /^http/,
    undefined,
  ],
  [
    'temporary credentials, objects asked for',
    { credentials: temporary, urlStyle: 'object' },
    /^s3:/,
    undefined,
  ],
])('%s decide what image_url holds', async (_what, changes, link, notice) => {
  await using storage = await createBucket()
  const store = await openS3Store(s3Settings(storage.bucket, changes))
  expect(await store.linkTo({ bucket: storage.bucket, key: 'a' })).toMatch(link)
  if (notice === undefined) expect(store.notice).toBeUndefined()
  else expect(store.notice).toMatch(notice)
  store.close()
})
