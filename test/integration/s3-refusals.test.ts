import type { IncomingMessage } from 'node:http'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { StorageError } from '../../src/errors.ts'
import { missingCredentials } from '../../src/storage/s3-client.ts'
import { openS3Store } from '../../src/storage/s3-store.ts'
import { createBucket } from '../support/databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { freePort } from '../support/free-port.ts'
import { startS3GoBetween } from '../support/s3-go-between.ts'
import { s3Settings } from '../support/s3-settings.ts'

const never = new AbortController().signal
const { verifiesSignatures, secretAccessKey, accessKeyId } = inject('s3')

async function failureOf(work: Promise<unknown>): Promise<StorageError> {
  const error = await work.catch((thrown: unknown) => thrown)
  if (!(error instanceof StorageError)) {
    throw new Error('a StorageError was expected', { cause: error })
  }
  expect(`${error.message} ${error.hint}`).not.toContain(secretAccessKey)
  return error
}

test('where HEAD is forbidden an image is simply put, however often', async () => {
  await using storage = await createBucket()
  const refuse = ({ method }: IncomingMessage) => (method === 'HEAD' ? 403 : undefined)
  await using between = await startS3GoBetween({ refuse })
  const store = await openS3Store(s3Settings(storage.bucket, { endpoint: between.url }))
  const image = fetchedImage()
  expect(await store.put(image, never)).toBe(image.size)
  expect(await store.put(image, never)).toBe(image.size)
  expect(between.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(2)
  const target = { Bucket: storage.bucket, Key: store.objectFor(image).key }
  const got = await storage.client.send(new GetObjectCommand(target))
  expect(got.ContentLength).toBe(image.size)
  store.close()
})

test.runIf(verifiesSignatures)('a body damaged on its way is refused, and not there', async () => {
  await using storage = await createBucket()
  const damage = (body: Buffer) => Buffer.from(body.map((byte, at) => (at === 9 ? byte ^ 1 : byte)))
  await using between = await startS3GoBetween({ damage })
  const store = await openS3Store(s3Settings(storage.bucket, { endpoint: between.url }))
  const image = fetchedImage()
  const error = await failureOf(store.put(image, never))
  expect(error).toMatchObject({ code: 'storage_failed', scope: 'image' })
  expect(error.message).toContain(image.source)
  expect(error.message).not.toContain('UnknownError')
  const target = { Bucket: storage.bucket, Key: store.objectFor(image).key }
  const getting = storage.client.send(new GetObjectCommand(target))
  await expect(getting).rejects.toMatchObject({ name: 'NoSuchKey' })
  store.close()
})

test.runIf(verifiesSignatures)('a wrong secret stops the run, and is shown nowhere', async () => {
  await using storage = await createBucket()
  const wrong = { accessKeyId, secretAccessKey: 'not-this-secret' }
  const store = await openS3Store(s3Settings(storage.bucket, { credentials: wrong }))
  for (const work of [() => store.put(fetchedImage(), never), () => store.check()]) {
    const error = await failureOf(work())
    expect(error).toMatchObject({ code: 'storage_refused', scope: 'run' })
    expect(error.message).toContain(storage.bucket)
    expect(error.message).toContain('SignatureDoesNotMatch')
    expect(`${error.message} ${error.hint}`).not.toContain('not-this-secret')
  }
  store.close()
})

test('a missing bucket is found before anything is put', async () => {
  const error = await failureOf(openS3Store(s3Settings('test-no-such-bucket')))
  expect(error).toMatchObject({ code: 'storage_refused', scope: 'run' })
  expect(error.message).toBe('s3://test-no-such-bucket cannot be used: there is no such bucket.')
})

test('a bucket that goes away during a run stops it', async () => {
  const storage = await createBucket()
  const store = await openS3Store(s3Settings(storage.bucket))
  await storage[Symbol.asyncDispose]()
  const error = await failureOf(store.put(fetchedImage(), never))
  expect(error).toMatchObject({ code: 'storage_refused', scope: 'run' })
  store.close()
})

test('an endpoint where nobody listens is storage_down', async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`
  const error = await failureOf(openS3Store(s3Settings('any', { endpoint })))
  expect(error).toMatchObject({ code: 'storage_down', scope: 'run' })
})

test('a server that only fails is storage_down, after several tries', async () => {
  await using storage = await createBucket()
  let isBroken = false
  await using between = await startS3GoBetween({ refuse: () => (isBroken ? 503 : undefined) })
  const store = await openS3Store(s3Settings(storage.bucket, { endpoint: between.url }))
  isBroken = true
  const error = await failureOf(store.put(fetchedImage(), never))
  expect(error).toMatchObject({ code: 'storage_down', scope: 'run' })
  expect(error.message).toContain('status 503')
  expect(between.requests.filter((request) => request.includes('vehicle-'))).toHaveLength(5)
  store.close()
})

test('an abort ends an upload with its own reason', async () => {
  await using storage = await createBucket()
  const stopper = new AbortController()
  const reason = new Error('enough')
  const refuse = ({ method }: IncomingMessage) => {
    if (method !== 'PUT') return undefined
    stopper.abort(reason)
    return 503
  }
  await using between = await startS3GoBetween({ refuse })
  const store = await openS3Store(s3Settings(storage.bucket, { endpoint: between.url }))
  await expect(store.put(fetchedImage(), stopper.signal)).rejects.toBe(reason)
  store.close()
})

test('credentials that are given are not missing', async () => {
  expect(await missingCredentials(s3Settings('any'))).toBeUndefined()
})

describe("without keys in the settings the SDK's own chain is asked", () => {
  const chain = s3Settings('any', { credentials: undefined })
  beforeEach(() => {
    const unset = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE']
    for (const name of unset) vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials')
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config')
  })
  afterEach(() => vi.unstubAllEnvs())

  test('and finds those of the environment', async () => {
    await using storage = await createBucket()
    vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey)
    expect(await missingCredentials(chain)).toBeUndefined()
    const store = await openS3Store({ ...chain, bucket: storage.bucket })
    await store.check()
    store.close()
  })

  test('and says what it said when there are none', async () => {
    expect(await missingCredentials(chain)).toMatch(/credentials/i)
    const error = await failureOf(openS3Store(chain))
    expect(error).toMatchObject({ code: 'storage_refused', scope: 'run' })
  })
})
