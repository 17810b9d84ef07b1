import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { CLI, closedEnv } from '../support/cli.ts'
import { startHttpServer } from '../support/http-server.ts'
import { createWorkplace, names } from '../support/workplace.ts'

const PICTURE = 'samples/gate-sedan-front.jpg'

test('an image known from S3 times gets its bytes with the rows it gets in db mode', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  await place.ingest([PICTURE], ['--confidence-threshold', '0.99'])
  const { summary } = await place.ingest([PICTURE], [], { env: { STORE_IMAGES: 'db' } })
  expect(summary).toMatchObject({ duplicate: 1, rows: 1, lookups: 0 })
  const [row] = await place.query<{ image_data: Buffer; image_sha256: string }>(
    'SELECT image_data, image_sha256 FROM vehicle_snapshots',
  )
  expect(
    createHash('sha256')
      .update(row?.image_data ?? '')
      .digest('hex'),
  ).toBe(row?.image_sha256)
})

test('an S3 server that refuses the bucket with a 400 stops the run before anything is spent', async () => {
  await using server = await startHttpServer((_request, response) => response.writeHead(400).end())
  await using place = await createWorkplace({ storage: 's3' })
  const { exitCode, summary } = await place.ingest([PICTURE], [], {
    env: { AWS_ENDPOINT_URL: server.url },
  })
  expect(exitCode).toBe(3)
  expect(summary.stopped).toBe('storage_down')
  expect(place.sandbox.lookups).toEqual([])
})

test('a wrong SNAPSHOT_API_URL stops the run at its first answer', async () => {
  await using server = await startHttpServer()
  await using place = await createWorkplace()
  const env = { SNAPSHOT_API_URL: server.url }
  const { exitCode, stderr } = await place.ingest(
    await place.draw(...names(5)),
    ['--concurrency', '1'],
    { env },
  )
  expect(exitCode).toBe(3)
  expect(stderr).toContain('Check SNAPSHOT_API_URL')
  expect(server.requests.filter((request) => request.startsWith('POST'))).toHaveLength(1)
})

test('credentials in AWS_ENDPOINT_URL are a problem with settings, and not shown', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  const env = { AWS_ENDPOINT_URL: 'http://me:s3cret@127.0.0.1:9000' }
  const { exitCode, stderr } = await place.ingest([PICTURE], [], { env })
  expect(exitCode).toBe(2)
  expect(stderr).toContain('AWS_ENDPOINT_URL must not hold a user or password')
  expect(stderr).not.toContain('s3cret')
})

describe('when nobody reads', () => {
  test('messages on standard error, the run goes on to its end', async () => {
    await using place = await createWorkplace()
    await place.write('list.txt', ['no.jpg', PICTURE, 'none.jpg'].join('\n'))
    const command = '"$0" "$1" --images list.txt --delay 0 --json 2>&1 >out.jsonl | true'
    const child = spawn('bash', ['-o', 'pipefail', '-c', command, process.execPath, CLI], {
      cwd: place.folder,
      env: closedEnv(place.folder, place.env),
    })
    const [[exitCode], errors] = await Promise.all([once(child, 'close'), text(child.stderr)])
    expect(exitCode, errors).toBe(1)
    const output = await readFile(join(place.folder, 'out.jsonl'), 'utf8')
    expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({
      stored: 1,
      failed: 2,
    })
  })
})

test('check leaves no embedded database behind: the first run still says that it is new', async () => {
  await using place = await createWorkplace({ database: 'embedded', isNew: true })
  const { stdout } = await place.run(['check'])
  expect(stdout).toContain('is not there yet')
  const { stderr } = await place.ingest([PICTURE], ['--quiet'])
  expect(stderr).toContain('(new and empty: every image will be billed)')
})
