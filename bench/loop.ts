// The yardstick of `throughput`: what somebody would write in an afternoon, with the same libraries and nothing but the
// five steps: read, hash, put, look up, insert. No ledger, no retry, no check, and every run pays for everything again.
import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import process from 'node:process'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Pool } from 'pg'
import { Agent, request } from 'undici'

const { env } = process
const concurrency = Number(env['BENCH_CONCURRENCY'])
const bucket = env['S3_BUCKET'] ?? ''

const s3 = new S3Client({
  region: 'us-east-1',
  endpoint: env['AWS_ENDPOINT_URL'] ?? '',
  forcePathStyle: true,
})
const pool = new Pool({
  connectionString: env['DATABASE_URL'],
  max: Number(env['BENCH_DATABASE_CONNECTIONS']),
})
const dispatcher = new Agent()

const INSERT = `INSERT INTO vehicle_snapshots
  (snapshot_ref, plate_text, plate_confidence, raw_response, image_url, image_mime, image_size, image_sha256, result_index)
  VALUES ($1, $2, $3, $4, $5, 'image/jpeg', $6, $7, 0)`

async function ingest(path: string): Promise<void> {
  const bytes = await readFile(path)
  const sha256 = createHash('sha256').update(bytes).digest('hex')

  const key = `vehicle-snapshots/${sha256.slice(0, 2)}/${sha256}.jpg`
  await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: 'image/jpeg' }),
  )

  const answer = await lookUp(bytes, basename(path))
  const [result] = answer.results
  await pool.query(INSERT, [
    ...[answer.filename, result?.plate, result?.score, JSON.stringify(answer)],
    ...[`s3://${bucket}/${key}`, bytes.length, sha256],
  ])
}

interface Answer {
  filename: string
  results: { plate: string; score: number }[]
}

async function lookUp(bytes: Buffer, name: string): Promise<Answer> {
  const boundary = `loop-${randomUUID()}`
  const body = Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="upload"; filename="${name}"\r\nContent-Type: image/jpeg\r\n\r\n`,
    ),
    bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  const response = await request(env['SNAPSHOT_API_URL'] ?? '', {
    method: 'POST',
    dispatcher,
    body,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  })
  if (response.statusCode !== 200) throw new Error(`the API answered ${response.statusCode}`)
  return (await response.body.json()) as Answer
}

const paths = (await readFile(env['BENCH_LIST'] ?? '', 'utf8')).trim().split('\n')
const rest = paths.values()
const worker = async () => {
  for (const path of rest) await ingest(path)
}
await Promise.all(Array.from({ length: concurrency }, worker))
await pool.end()
await dispatcher.close()
s3.destroy()
