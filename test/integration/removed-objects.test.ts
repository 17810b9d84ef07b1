import {
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { expect, inject, test } from 'vitest'
import { openObjects } from '../../src/storage/objects.ts'
import { createBucket } from '../support/databases.ts'
import { startHttpServer } from '../support/http-server.ts'
import { s3Settings } from '../support/s3-settings.ts'

const never = new AbortController().signal

test('an object is deleted, and that it is not there is no error', async () => {
  await using storage = await createBucket()
  const { bucket, client } = storage
  const key = 'vehicle-snapshots/ü +%.jpg'
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x' }))
  const objects = await openObjects(s3Settings(bucket), never)
  for (const _time of [1, 2]) {
    await objects.remove({ bucket, key })
    expect(await objects.look({ bucket, key })).toEqual({ kind: 'missing' })
  }
  const elsewhere = objects.remove({ bucket: `${bucket}-none`, key })
  await expect(elsewhere).rejects.toMatchObject({ code: 'storage_refused', scope: 'run' })
  objects.close()
})

// It takes the command and keeps no versions.
test.skipIf(inject('s3').name === 'fauxqs')(
  'nothing is left of an object in a bucket with versions, and others stay',
  async () => {
    await using storage = await createBucket()
    const { bucket, client } = storage
    const VersioningConfiguration = { Status: 'Enabled' as const }
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }))
    const [key, other] = ['vehicle-snapshots/a.jpg', 'vehicle-snapshots/a.jpg.jpg']
    for (const Key of [key, key, other, key]) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))
    }
    const objects = await openObjects(s3Settings(bucket), never)
    const versionsLeft = async () => {
      const list = new ListObjectVersionsCommand({ Bucket: bucket })
      const { Versions = [], DeleteMarkers = [] } = await client.send(list)
      return [...Versions, ...DeleteMarkers].map(({ Key }) => Key)
    }
    await objects.remove({ bucket, key })
    await objects.remove({ bucket, key })
    expect(await versionsLeft()).toEqual([other])
    await objects.remove({ bucket, key: other })
    expect(await versionsLeft()).toEqual([])
    objects.close()
  },
)

test('versions are listed a page at a time, no further than those of the object, and markers go last', async () => {
  const version = (kind: string, key: string, id: string) =>
    `<${kind}><Key>${key}</Key><VersionId>${id}</VersionId></${kind}>`
  const more = (key: string, id: string) =>
    `<IsTruncated>true</IsTruncated><NextKeyMarker>${key}</NextKeyMarker><NextVersionIdMarker>${id}</NextVersionIdMarker>`
  const pages: Record<string, string> = {
    '': `${version('DeleteMarker', 'a', '1')}${version('Version', 'a', '2')}${more('a', '2')}`,
    '2': `${version('Version', 'a', '3')}${version('Version', 'ab', '4')}${more('ab', '4')}`,
  }
  const deleted: (string | null)[] = []
  await using server = await startHttpServer(({ method, url = '' }, response) => {
    const { searchParams } = new URL(url, 'http://s3')
    if (method === 'DELETE') {
      deleted.push(searchParams.get('versionId'))
      return response.writeHead(204, { 'x-amz-delete-marker': 'true' }).end()
    }
    const page = pages[searchParams.get('version-id-marker') ?? ''] ?? ''
    return response.writeHead(200).end(`<ListVersionsResult>${page}</ListVersionsResult>`)
  })
  const objects = await openObjects(s3Settings('plates', { endpoint: server.url }), never)
  await objects.remove({ bucket: 'plates', key: 'a' })
  expect(deleted).toEqual([null, '2', '3', '1'])
  objects.close()
})
