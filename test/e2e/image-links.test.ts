import { expect, inject, test, vi } from 'vitest'
import { sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const GATE = 'samples/gate-sedan-front.jpg'

async function ingestGate({ ingest, query }: Workplace, env: Record<string, string> = {}) {
  const { exitCode, stderr } = await ingest([GATE], [], { env })
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('Images: ')])
  const [row] = await query<{ url: string; sha256: string; data: Uint8Array | null; mime: string }>(
    `SELECT image_url AS url, image_sha256 AS sha256, image_data AS data, image_mime AS mime
     FROM vehicle_snapshots`,
  )
  if (row === undefined) throw new Error('no row')
  return row
}

test('a presigned image_url opens with a plain GET and lives a week', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  const { url, sha256 } = await ingestGate(place)
  const answer = await fetch(url)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('image/jpeg')
  expect(sha256Of(await answer.bytes())).toBe(sha256)
  expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('604800')
})

test.runIf(inject('s3').verifiesSignatures)(
  'a presigned image_url is refused with one character changed',
  async () => {
    await using place = await createWorkplace({ storage: 's3' })
    const { url } = await ingestGate(place)
    const changed = url.replace(/(X-Amz-Signature=)(.)/, (_, name, first) =>
      first === '0' ? `${name}1` : `${name}0`,
    )
    expect((await fetch(changed)).status).toBe(403)
  },
)

test.runIf(inject('s3').verifiesSignatures)(
  'a presigned image_url is refused once S3_URL_EXPIRES is over',
  async () => {
    await using place = await createWorkplace({ storage: 's3' })
    const { url } = await ingestGate(place, { S3_URL_EXPIRES: '1' })
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('1')
    await vi.waitFor(async () => expect((await fetch(url)).status).toBe(403), { timeout: 10_000 })
  },
)

test('an object that is private does not open without its signature', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  const { url } = await ingestGate(place)
  const { status } = await fetch(url.replace(/\?.*/, ''))
  expect(status).toBe(inject('s3').verifiesSignatures ? 403 : 200)
})

test('S3_URL_STYLE=object names the object', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  const { url, sha256 } = await ingestGate(place, { S3_URL_STYLE: 'object' })
  const key = `vehicle-snapshots/${sha256.slice(0, 2)}/${sha256}.jpg`
  expect(url).toBe(`s3://${place.bucket?.bucket}/${key}`)
})

test('STORE_IMAGES=db on a server database keeps the bytes in the row and the reference as image_url', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  const { url, sha256, data, mime } = await ingestGate(place, { STORE_IMAGES: 'db' })
  expect(url).toBe(GATE)
  expect(mime).toBe('image/jpeg')
  expect(sha256Of(data ?? '')).toBe(sha256)
})

test('an object that is there already is not uploaded again, whatever became of the database', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  await ingestGate(place)
  await place.query('TRUNCATE vehicle_snapshots, plate_lookups')
  const { summary } = await place.ingest([GATE])
  expect(summary).toMatchObject({ stored: 1, lookups: 1, uploads: 0 })
})
