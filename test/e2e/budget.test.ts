import { readdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const TABLES = ['vehicle_snapshots', 'plate_lookups', 'image_sources', 'ingest_runs', 'api_pace']

function everythingIn({ query }: Workplace) {
  return Promise.all(TABLES.map((table) => query(`SELECT * FROM ${table} ORDER BY 1`)))
}

describe('--max-lookups', () => {
  test('stops the run before one request more, and the next run goes on', async () => {
    await using place = await createWorkplace({ sandbox: { latencyMs: 50 } })
    const lines = await place.draw(...names(7))
    const first = await place.ingest(lines, ['--max-lookups', '3'])
    expect(first.exitCode).toBe(3)
    expect(first.summary).toMatchObject({ images: 3, no_plate: 3, lookups: 3, failed: 0 })
    expect(first.summary.stopped).toBe('max_lookups')
    expect(first.stderr).toContain('The budget of --max-lookups is used up')
    expect(place.sandbox.lookups).toHaveLength(3)

    const second = await place.ingest(lines)
    expect(second.exitCode).toBe(0)
    expect(second.summary).toMatchObject({ images: 7, duplicate: 3, no_plate: 4, lookups: 4 })
    expect(place.sandbox.billedCount()).toBe(7)
  })

  test('counts retries of requests that may have been billed', async () => {
    await using place = await createWorkplace({ sandbox: { fault: () => 'reset-after-billing' } })
    const flags = ['--max-lookups', '1', '--concurrency', '1']
    const { exitCode, summary } = await place.ingest(await place.draw(...names(2)), flags)
    expect(exitCode).toBe(3)
    expect(summary).toMatchObject({ images: 1, failed: 1, uncertain: 1, stopped: 'max_lookups' })
    expect(place.sandbox.lookups).toHaveLength(1)
  })

  test('does not count what was certainly not billed', async () => {
    await using place = await createWorkplace({
      sandbox: { fault: ({ index }) => (index < 2 ? { status: 400 } : undefined) },
    })
    const flags = ['--max-lookups', '2', '--concurrency', '1']
    const { exitCode, summary } = await place.ingest(await place.draw(...names(4)), flags)
    expect([exitCode, summary.stopped]).toEqual([1, null])
    expect(summary).toMatchObject({ failed: 2, no_plate: 2, attempts: 4 })
  })

  test('of 0 lets known images pass and asks nothing', async () => {
    await using place = await createWorkplace()
    const lines = await place.draw(...names(2))
    await place.ingest(lines)
    const { exitCode, summary } = await place.ingest(lines, ['--max-lookups', '0'])
    expect([exitCode, summary.duplicate]).toEqual([0, 2])
    expect(place.sandbox.lookups).toHaveLength(2)
  })
})

describe('--dry-run', () => {
  test('says exactly how many lookups a run would make, and writes nothing', async () => {
    await using place = await createWorkplace()
    const known = await place.draw(...names(3, 'known'))
    await place.ingest(known)
    const fresh = await place.draw(...names(4, 'new'))
    await place.write('copy.jpg', pictureOf('new 1.jpg'))
    const lines = [...known, ...fresh, 'copy.jpg', 'new 2.jpg', 'missing.jpg']
    const before = await everythingIn(place)
    place.sandbox.reset()

    // It needs neither key nor bucket.
    const env = { PLATE_API_KEY: '', STORE_IMAGES: 's3' }
    const dry = await place.ingest(lines, ['--dry-run'], { env })
    expect(dry.exitCode).toBe(1)
    expect(dry.summary).toMatchObject({ images: 10, duplicate: 5, failed: 1, dry_run: true })
    expect(dry.summary).toMatchObject({ would_look_up: 4, lookups: 0, rows: 0, uploads: 0 })
    expect(place.sandbox.lookups).toEqual([])
    expect(await everythingIn(place)).toEqual(before)

    const real = await place.ingest(lines)
    expect(real.summary.lookups).toBe(dry.summary.would_look_up)
    expect(real.summary.duplicate).toBe(dry.summary.duplicate)
  })

  test('says so in words too', async () => {
    await using place = await createWorkplace()
    await place.write('list.txt', 'samples/gate-sedan-front.jpg\n')
    const { stdout } = await place.run(['--images', 'list.txt', '--dry-run'])
    expect(stdout).toMatch(/^1 image in [\d.]+ s \(dry run\)\n/)
    expect(stdout).toContain('1 would be looked up (nothing was asked, nothing written)')
  })

  test('with --force counts the known images that would be asked again', async () => {
    await using place = await createWorkplace()
    const lines = await place.draw(...names(2))
    await place.ingest(lines)
    const { summary } = await place.ingest([...lines, ...lines], ['--dry-run', '--force'])
    expect(summary).toMatchObject({ would_look_up: 2, duplicate: 2 })
  })

  test('leaves no embedded database behind where there was none', async () => {
    await using place = await createWorkplace({ database: 'embedded', isNew: true })
    const { exitCode, summary } = await place.ingest(await place.draw('car.jpg'), ['--dry-run'])
    expect([exitCode, summary.would_look_up]).toEqual([0, 1])
    // A run that makes one says that every image will be billed: that word would be lost.
    expect(await readdir(place.folder)).not.toContain('plate-snapshot-data')
  })
})
