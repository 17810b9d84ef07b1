import { expect, inject, test } from 'vitest'
import { sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

const GATE = 'samples/gate-sedan-front.jpg'
const UNKNOWN = 'a'.repeat(64)
const lifeOf = (url: string) => Number(new URL(url).searchParams.get('X-Amz-Expires'))

test('url prints fresh links, whatever image_url holds, and --refresh renews what image_url holds', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  expect((await place.ingest([GATE], [], { env: { S3_URL_STYLE: 'object' } })).exitCode).toBe(0)
  const rows = 'SELECT id, image_sha256 AS sha256, image_url AS url FROM vehicle_snapshots'
  const [row] = await place.query<{ id: string; sha256: string; url: string }>(rows)
  const { id = '', sha256 = '' } = row ?? {}
  expect(row?.url).toMatch(/^s3:/)

  const plain = await place.run(['url', id, UNKNOWN, sha256], { env: { S3_URL_STYLE: 'object' } })
  const links = plain.stdout.trimEnd().split('\n')
  expect(plain).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[not_known]') })
  expect(links.map(lifeOf)).toEqual([604_800, 604_800])
  for (const link of links) {
    expect(sha256Of(await (await fetch(link)).bytes())).toBe(sha256)
  }

  const env = { STORE_IMAGES: 'db', AWS_SESSION_TOKEN: '' }
  const asked = ['url', '--json', '--expires', '12h', id, UNKNOWN]
  const { exitCode, records, stderr } = await place.run(asked, { env })
  expect([exitCode, stderr]).toEqual([1, ''])
  const error = { code: 'not_known', message: `The database has no image ${UNKNOWN}.` }
  expect(records).toMatchObject([
    { event: 'url', id, url: expect.stringContaining('X-Amz-Expires=43200&') },
    { event: 'url', sha256: UNKNOWN, error },
  ])
  const [{ expires_at }] = records as [{ expires_at: string }]
  expect(Math.abs(Date.parse(expires_at) - Date.now() - 12 * 3_600_000)).toBeLessThan(600_000)

  const ended = (links[0] ?? '').replace(/(X-Amz-Date=)\d{8}/, '$120200101')
  await place.query('UPDATE vehicle_snapshots SET image_url = $1', [ended])
  const refreshed = await place.run(['url', '--refresh', '2d'])
  expect(refreshed).toMatchObject({ exitCode: 0, stdout: '1 link looked at: 1 renewed.\n' })
  expect(refreshed.stderr).toMatch(/^Database: .*\nImages: s3:.*\n$/)
  const again = await place.run(['url', '--refresh', '2d', '--json'])
  const counts = { rows: 1, renewed: 0, good: 1, unknown: 0, changed: 0, stopped: null }
  expect(again.records).toEqual([
    { event: 'refreshed', ...counts, good_until: expect.stringMatching(/Z$/) },
  ])
  const [renewed] = await place.query<{ url: string }>(rows)
  expect((await fetch(renewed?.url ?? '')).status).toBe(200)
  if (inject('s3').verifiesSignatures) expect((await fetch(ended)).status).toBe(403)
})

test('url without an image, or without S3 for --refresh, ends before anything is done', async () => {
  await using place = await createWorkplace()
  const neither = await place.run(['url'])
  expect(neither).toMatchObject({ exitCode: 2, stdout: '' })
  expect(neither.stderr).toContain('<id|sha256> is required: which images?')
  const withoutS3 = await place.run(['url', '--refresh', '2d'])
  expect(withoutS3).toMatchObject({ exitCode: 2, stdout: '' })
  expect(withoutS3.stderr).toContain('S3_BUCKET is not set.')
})

test('with temporary credentials url gives links, and says that they end with them', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  await place.ingest([GATE])
  const [row] = await place.query<{ id: string }>('SELECT id FROM vehicle_snapshots')
  const env = { AWS_SESSION_TOKEN: 'session' }
  const { stdout, stderr } = await place.run(['url', row?.id ?? ''], { env })
  expect(stdout).toContain('X-Amz-Security-Token=session')
  expect(stderr).toMatch(/^The AWS credentials are temporary: a link ends with them/)
})
