import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import type { RunningCli } from '../support/cli.ts'
import { everything } from '../support/purging.ts'
import { startS3GoBetween } from '../support/s3-go-between.ts'
import { answersFor, pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const answers = answersFor({
  'lane 1.jpg': [
    ['abc123', 0.95],
    ['xyz789', 0.3],
  ],
  'lane 2.jpg': [['nhk552', 0.9]],
})
const LINES = ['lane 1.jpg', 'lane 2.jpg']
const [FIRST, SECOND] = LINES.map((name) => sha256Of(pictureOf(name)))
const KEPT = ['--confidence-threshold', '0.8']

async function ingested(options: Parameters<typeof createWorkplace>[0]): Promise<Workplace> {
  const place = await createWorkplace({ sandbox: { answers }, ...options })
  await place.draw(...LINES)
  const { summary } = await place.ingest(LINES, KEPT)
  expect(summary).toMatchObject({ stored: 2, rows: 2, purged: 0 })
  return place
}

async function keysOf({ bucket }: Workplace): Promise<string[]> {
  const list = new ListObjectsV2Command({ Bucket: bucket?.bucket })
  return ((await bucket?.client.send(list))?.Contents ?? []).map(({ Key }) => Key ?? '')
}

const purge = (place: Workplace, ...flags: string[]) => place.run(['purge', ...flags])

test('an image that shows a plate goes with all that is known of it, and is not bought again', async () => {
  await using place = await ingested({ storage: 's3' })
  const before = await everything(place)
  const preview = await purge(place, '--plate', 'XYZ-789', 'none*')
  expect(preview.stdout).toMatch(
    /^This would purge 1 image \(plate XYZ-789 or none\*\): 1 row, 1 object in S3, 1 source, 1 kB\.\nOldest: .*\nNothing was changed\. Run it again with --yes to purge\.\n$/,
  )
  expect([preview.exitCode, await everything(place)]).toEqual([0, before])

  const purged = await purge(place, '--plate', 'xyz789', '--yes', '--json')
  expect(purged.records).toEqual([
    {
      ...{ event: 'purge', images: 1, rows: 1, objects: 1, sources: 1, failures: 0, in_use: 0 },
      ...{ bytes: pictureOf('lane 1.jpg').length, oldest: expect.any(String) },
      ...{ newest: expect.any(String), dry_run: false, tombstones: 1, stopped: null },
    },
  ])
  expect(purged.exitCode, purged.stderr).toBe(0)
  const gone = [FIRST ?? '', 'lane 1.jpg', 'abc123', 'xyz789']
  const left = await everything(place)
  expect(gone.filter((text) => left.includes(text))).toEqual([])
  expect(await keysOf(place)).toEqual([expect.stringContaining(SECOND ?? '')])

  const again = await place.ingest(LINES, [...KEPT, '--reread'])
  expect(again.images.find(({ sha256 }) => sha256 === FIRST)).toEqual({
    ...{ event: 'image', line: 1, source: 'lane 1.jpg', outcome: 'duplicate', sha256: FIRST },
    ...{ mime: 'image/jpeg', size: expect.any(Number), lookup: false, plates: [], purged: true },
    ms: expect.any(Number),
  })
  expect(again.summary).toMatchObject({ duplicate: 2, purged: 1, lookups_saved: 1, lookups: 0 })
  const dry = await place.ingest(LINES, ['--dry-run', '--force'])
  expect(dry.summary).toMatchObject({ duplicate: 1, purged: 1, would_look_up: 1 })
  const forced = await place.ingest(LINES, [...KEPT, '--force'])
  expect(forced.summary).toMatchObject({ duplicate: 1, purged: 1, lookups: 1, uploads: 0 })
  expect([FIRST, SECOND].map((sha256) => place.sandbox.billedCount(sha256 ?? ''))).toEqual([1, 2])
  const after = await everything(place)
  expect(gone.filter((text) => after.includes(text))).toEqual([])
  expect(await keysOf(place)).toHaveLength(1)
  const verified = await place.run(['verify', '--read-data'])
  expect([verified.exitCode, verified.stdout]).toEqual([0, expect.stringContaining('1 image, 1')])

  // As a run that was cut off from the database for long might have put it afterwards.
  const Key = `vehicle-snapshots/${FIRST?.slice(0, 2)}/${FIRST}.jpg`
  const Body = pictureOf('lane 1.jpg')
  await place.bucket?.client.send(new PutObjectCommand({ Bucket: place.bucket.bucket, Key, Body }))
  const repaired = await place.run(['verify', '--repair'])
  expect(repaired.stdout).toContain('The image was purged: delete the object.')
  expect([repaired.exitCode, await everything(place)]).toEqual([1, after])
})

test('an embedded database has its space again, and says to people what was purged before', async () => {
  await using place = await ingested({ database: 'embedded' })
  const purged = await purge(place, '--older-than', '0h', '--yes')
  expect(purged.stdout).toMatch(
    /^Purged 2 images \(first stored before \d{4}-.*\): 2 rows, 2 sources, 1 kB\.\nThey are neither stored nor looked up again\.\n$/,
  )
  const [size] = await place.query(
    "SELECT pg_relation_size('plate_lookups')::int AS entries, pg_relation_size('vehicle_snapshots')::int AS rows",
  )
  expect(size).toEqual({ entries: 0, rows: 0 })
  const run = await place.run(['--images', 'images.txt', '--delay', '0'])
  expect(run.stdout).toContain('2 images were purged before: neither stored nor looked up.\n')
})

test('what is to go has to be said, and a database to be there', async () => {
  await using place = await createWorkplace({ database: 'embedded', isNew: true })
  const some = await Promise.all([
    purge(place, '--yes'),
    purge(place, '--older-than', '3m', '--plate', ' - '),
    purge(place, '--camera', 'gate'),
  ])
  expect(some.map(({ exitCode }) => exitCode)).toEqual([2, 2, 3])
  const [none, wrong, nowhere] = some.map(({ stderr }) => stderr)
  expect(none).toContain('--older-than or --camera or --plate is required: say what is to go.')
  expect(wrong).toContain('--older-than must be a number of hours, days, weeks or years')
  expect(wrong).toContain('--plate must hold a letter, a digit or a wildcard')
  expect(nowhere).toContain('There is no database yet')
})

test('images in S3 stay as they are while S3 is not set up', async () => {
  await using place = await ingested({ storage: 's3' })
  const before = await everything(place)
  const env = { STORE_IMAGES: 'db', S3_BUCKET: '' }
  const args = ['purge', '--older-than', '0h']
  const preview = await place.run(args, { env })
  const refused = await place.run([...args, '--yes'], { env })
  expect([preview.exitCode, refused.exitCode, await everything(place)]).toEqual([0, 2, before])
  for (const { stderr } of [preview, refused]) {
    expect(stderr).toContain(
      'S3_BUCKET is not set, and 2 objects of these images would stay behind',
    )
  }
  // With it, it does not matter where new images go.
  const { exitCode } = await place.run([...args, '--yes'], { env: { STORE_IMAGES: 'db' } })
  expect([exitCode, await keysOf(place)]).toEqual([0, []])
})

test('a refused deletion stops it, a signal ends it after a batch, and both times it can be run again', async () => {
  await using place = await ingested({ storage: 's3' })
  await place.query(
    "INSERT INTO vehicle_snapshots (plate_text, created_at) VALUES ('old1', '2024-01-01')",
  )
  const before = await everything(place)
  let running: RunningCli | undefined
  let isRefused = true
  await using between = await startS3GoBetween({
    refuse({ method }) {
      if (method !== 'DELETE') return undefined
      // A second signal would end it at once.
      running?.kill('SIGTERM')
      running = undefined
      return isRefused ? 403 : undefined
    },
  })
  const args = ['purge', '--older-than', '0h', '--yes', '--json']
  const options = { env: { AWS_ENDPOINT_URL: between.url } }
  const refused = await place.run(args, options)
  expect([refused.exitCode, await everything(place)]).toEqual([3, before])
  expect(refused.records).toMatchObject([{ images: 0, stopped: 'storage_down' }])
  expect(refused.stderr).toMatch(
    /s3:\/\/.* could not be deleted: .*\[storage_refused\]\n.*s3:DeleteObject/,
  )

  isRefused = false
  running = await place.start(args, options)
  const interrupted = await running.ended
  expect([interrupted.exitCode, interrupted.records]).toMatchObject([
    143,
    [{ images: 2, objects: 2, stopped: 'interrupted' }],
  ])
  expect(interrupted.stderr).toContain('run the same purge again to go on')
  const last = await place.run(args, options)
  expect([last.exitCode, last.records]).toMatchObject([0, [{ images: 1, rows: 1, tombstones: 0 }]])
})
