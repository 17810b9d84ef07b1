import { PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { openObjects } from '../../src/storage/objects.ts'
import { createBucket } from '../support/databases.ts'
import { startHttpServer } from '../support/http-server.ts'
import { startFauxqs } from '../support/s3.ts'
import { s3Settings } from '../support/s3-settings.ts'
import { pictureOf, sha256Of } from '../support/sample-pictures.ts'

const never = new AbortController().signal
const bytes = pictureOf('a')
const sha256 = sha256Of(bytes)
const base64 = Buffer.from(sha256, 'hex').toString('base64')
const other = sha256Of(pictureOf('b'))

test.each<[what: string, headers: Record<string, string>, told: string | undefined]>([
  ['its own checksum', { 'x-amz-checksum-sha256': base64 }, sha256],
  [
    "its own checksum before the metadata's",
    { 'x-amz-checksum-sha256': base64, 'x-amz-meta-sha256': other },
    sha256,
  ],
  [
    "the metadata's, where its own is of parts",
    { 'x-amz-checksum-sha256': `${base64}-2`, 'x-amz-meta-sha256': other },
    other,
  ],
  [
    "the metadata's, where its own is said to be of parts",
    {
      'x-amz-checksum-sha256': base64,
      'x-amz-checksum-type': 'COMPOSITE',
      'x-amz-meta-sha256': other,
    },
    other,
  ],
  ['none, where the metadata is something else', { 'x-amz-meta-sha256': 'true' }, undefined],
  ['none, where it has another kind', { 'x-amz-checksum-crc32': 'AAAAAA==' }, undefined],
])('a server tells of an object %s', async (_what, headers, told) => {
  await using server = await startHttpServer((_request, response) =>
    response.writeHead(200, { 'content-length': 9, ...headers }).end(),
  )
  const objects = await openObjects(s3Settings('plates', { endpoint: server.url }), never)
  const look = await objects.look({ bucket: 'plates', key: 'a.jpg' })
  expect(look).toEqual({ kind: 'there', size: 9, sha256: told })
  objects.close()
})

test('a server that keeps checksums tells of other bytes without sending them', async () => {
  const server = await startFauxqs()
  {
    await using storage = await createBucket(server)
    const { bucket, client } = storage
    const { endpoint, accessKeyId, secretAccessKey } = server
    const credentials = { accessKeyId, secretAccessKey }
    const objects = await openObjects(s3Settings(bucket, { endpoint, credentials }), never)
    const object = { bucket, key: 'vehicle-snapshots/a.jpg' }
    await objects.put(object, { bytes, mime: 'image/jpeg', sha256 })
    expect(await objects.look(object)).toEqual({ kind: 'there', size: bytes.length, sha256 })
    const Metadata = { sha256 }
    const put = { Bucket: bucket, Key: object.key, Body: pictureOf('b'), Metadata }
    await client.send(new PutObjectCommand({ ...put, ChecksumAlgorithm: 'SHA256' }))
    expect(await objects.look(object)).toMatchObject({ kind: 'there', sha256: other })
    expect(await objects.digest(object)).toMatchObject({ kind: 'read', sha256: other })
    objects.close()
  }
  await server.stop()
})

test('bytes that no longer match the checksum of their server are hashed as they come', async () => {
  await using server = await startHttpServer((_request, response) =>
    response.writeHead(200, { 'x-amz-checksum-crc32': 'AAAAAA==' }).end(bytes),
  )
  const objects = await openObjects(s3Settings('plates', { endpoint: server.url }), never)
  const digest = await objects.digest({ bucket: 'plates', key: 'a.jpg' })
  expect(digest).toMatchObject({ kind: 'read', size: bytes.length, sha256 })
  objects.close()
})

test('a body that breaks off is read again', async () => {
  let tries = 0
  await using server = await startHttpServer(({ method }, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    if (method !== 'GET') return response.end()
    tries += 1
    if (tries > 1) return response.end(bytes)
    return response.write(bytes.subarray(0, 2), () => response.destroy())
  })
  const objects = await openObjects(s3Settings('plates', { endpoint: server.url }), never)
  const digest = await objects.digest({ bucket: 'plates', key: 'a.jpg' })
  expect([digest, tries]).toEqual([expect.objectContaining({ sha256 }), 2])
  objects.close()
})

test('every object that this tool may have put is listed, whatever its name holds', async () => {
  await using storage = await createBucket()
  const { bucket, client } = storage
  const names = ['a b+c%20&<d>.jpg', '\u00fc \u{1f697}.jpg', 'line\u0009tab.jpg']
  const keys = names.map((name) => `vehicle-snapshots/${name}`)
  for (const Key of [...keys, 'elsewhere/a.jpg']) {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))
  }
  const objects = await openObjects(s3Settings(bucket), never)
  const listed: string[] = []
  for await (const page of objects.list()) listed.push(...page.map(({ key }) => key))
  expect(listed.sort()).toEqual(keys.sort())
  expect(await objects.digest({ bucket, key: keys[0] ?? '' })).toMatchObject({ size: 1 })
  expect(await objects.look({ bucket, key: 'none' })).toEqual({ kind: 'missing' })
  objects.close()
})

test('more objects than a page holds are listed a page at a time', async () => {
  const pages = [['a.jpg', 'b.jpg'], ['c.jpg']]
  const xml = (keys: string[], next: string) =>
    `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')}${next}</ListBucketResult>`
  await using server = await startHttpServer(({ url = '' }, response) => {
    const isSecond = url.includes('continuation-token=more')
    const next = isSecond ? '' : '<NextContinuationToken>more</NextContinuationToken>'
    response.writeHead(200).end(xml(pages[isSecond ? 1 : 0] ?? [], next))
  })
  const objects = await openObjects(s3Settings('plates', { endpoint: server.url }), never)
  const listed: string[][] = []
  for await (const page of objects.list()) listed.push(page.map(({ key }) => key))
  expect(listed).toEqual(pages)
  objects.close()
})
