import { randomBytes } from 'node:crypto'
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3'
import { Client, Pool } from 'pg'
import { inject } from 'vitest'
import { s3Client } from './s3.ts'

export type TestDatabase = AsyncDisposable & { url: string; pool: Pool }

/** An empty database on the test server, dropped when disposed of, whoever is still connected. */
export async function createDatabase(serverUrl = inject('postgresUrl')): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await execute(serverUrl, `CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = name
  const pool = new Pool({ connectionString: url.href })
  // A connection that a test cuts is that test's business.
  pool.on('error', () => {})
  return {
    url: url.href,
    pool,
    async [Symbol.asyncDispose]() {
      await pool.end()
      await execute(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** `env` is what the command line needs to use the bucket. */
export type TestBucket = AsyncDisposable & {
  bucket: string
  client: S3Client
  env: Record<string, string>
}

/** An empty bucket on the test server, deleted with what is in it when disposed of. */
export async function createBucket(server = inject('s3')): Promise<TestBucket> {
  const bucket = `test-${randomBytes(8).toString('hex')}`
  const { endpoint, accessKeyId, secretAccessKey, region } = server
  const client = s3Client(server)
  // AWS takes the constraint anywhere but in its oldest region.
  const place = region === 'us-east-1' ? undefined : { LocationConstraint: region as 'eu-west-1' }
  await client.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: place }))
  return {
    bucket,
    client,
    env: {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      S3_BUCKET: bucket,
    },
    async [Symbol.asyncDispose]() {
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
        const deletions = Contents.map(
          ({ Key }) => new DeleteObjectCommand({ Bucket: bucket, Key }),
        )
        await Promise.all(deletions.map((deletion) => client.send(deletion)))
      }
      await client.send(new DeleteBucketCommand({ Bucket: bucket }))
      client.destroy()
    },
  }
}
