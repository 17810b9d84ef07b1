import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { createBucket, createDatabase } from '../support/databases.ts'
import { startPostgres } from '../support/postgres.ts'
import { startFauxqs, startOwnS3 } from '../support/s3.ts'

test('a fresh database answers, and is gone after its test', async () => {
  const database = await createDatabase()
  const { rows } = await database.pool.query('SELECT current_database() AS name')
  expect(new URL(database.url).pathname).toBe(`/${rows[0].name}`)

  const stillConnected = new Client({ connectionString: database.url })
  stillConnected.on('error', () => {})
  await stillConnected.connect()
  await database[Symbol.asyncDispose]()
  const late = new Client({ connectionString: database.url })
  await expect(late.connect()).rejects.toThrow('does not exist')
})

test.for([
  ['oldest', '13.'],
  ['newest', '18.'],
] as const)(
  'the %s PostgreSQL is %s and makes UUIDs without an extension',
  async ([release, version]) => {
    const server = await startPostgres(release)
    try {
      expect(server.version).toMatch(version)
      await using database = await createDatabase(server.url)
      const { rows } = await database.pool.query('SELECT gen_random_uuid() AS id')
      expect(rows[0].id).toMatch(/^[0-9a-f-]{36}$/)
    } finally {
      await server.stop()
    }
  },
)

test('a bucket takes an object and gives it back', async () => {
  await using storage = await createBucket()
  const target = { Bucket: storage.bucket, Key: 'folder/ä picture.jpg' }
  await storage.client.send(new PutObjectCommand({ ...target, Body: Buffer.from('a picture') }))
  const { Body } = await storage.client.send(new GetObjectCommand(target))
  expect(await Body?.transformToString()).toBe('a picture')
})

test.runIf(inject('s3').verifiesSignatures)(
  'a presigned link opens, and is refused with one character of its signature changed',
  async () => {
    await using storage = await createBucket()
    const target = { Bucket: storage.bucket, Key: 'picture.jpg' }
    await storage.client.send(new PutObjectCommand({ ...target, Body: Buffer.from('a picture') }))

    const link = await getSignedUrl(storage.client, new GetObjectCommand(target))
    expect((await fetch(link)).status).toBe(200)
    const changed = link.replace(/(X-Amz-Signature=)(.)/, (_, name, first) =>
      first === '0' ? `${name}1` : `${name}0`,
    )
    expect((await fetch(changed)).status).toBe(403)
  },
)

test.for(['fast', 'immediate'] as const)(
  'a PostgreSQL that goes down (%s) refuses connections, and has its rows when it is up again',
  async (how) => {
    await using server = await startPostgres('newest')
    await using database = await createDatabase(server.url)
    await database.pool.query('CREATE TABLE plates AS SELECT $1::text AS plate', ['nhk552'])
    // Not through the pool: a connection of its own may not have heard yet that it was cut.
    const plates = async () => {
      const client = new Client({ connectionString: database.url })
      await client.connect()
      const { rows } = await client.query('SELECT plate FROM plates')
      await client.end()
      return rows
    }
    for (const _ of ['once', 'twice']) {
      await server.down(how)
      await expect(plates()).rejects.toThrow('ECONNREFUSED')
      await server.up()
      expect(await plates()).toEqual([{ plate: 'nhk552' }])
    }
  },
)

test.for([
  ['fauxqs', startFauxqs],
  ['Ceph, where it is installed', startOwnS3],
] as const)(
  'an S3 server (%s) that goes down refuses connections, and has its objects when it is up again',
  async ([, start]) => {
    await using server = await start()
    await using storage = await createBucket(server)
    const target = { Bucket: storage.bucket, Key: 'picture.jpg' }
    await storage.client.send(new PutObjectCommand({ ...target, Body: Buffer.from('a picture') }))
    for (const _ of ['once', 'twice']) {
      await server.down()
      await expect(fetch(server.endpoint)).rejects.toThrow('fetch failed')
      await server.up()
      const { Body } = await storage.client.send(new GetObjectCommand(target))
      expect(await Body?.transformToString()).toBe('a picture')
    }
  },
)
