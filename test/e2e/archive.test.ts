import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startImageServer } from '../support/image-server.ts'
import { answersFor, pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const ARCHIVE = ['--archive', 'archive']

/** All files of a folder, by their way from it. */
async function filesOf(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

const archived = ({ folder }: Workplace) => filesOf(join(folder, 'archive'))

test('files go to the archive with their tree when their image is stored, filtered or known; all others stay', async () => {
  const answers = answersFor({
    'lane 1/car.jpg': [['abc123', 0.9]],
    'lane 1/dim.jpg': [['abc124', 0.3]],
  })
  await using server = await startImageServer({ '/url.jpg': pictureOf('url.jpg') })
  await using place = await createWorkplace({ storage: 's3', sandbox: { answers } })
  const elsewhere = await mkdtemp(join(tmpdir(), 'plate-snapshot-elsewhere-'))
  try {
    const far = join(elsewhere, 'far.jpg')
    await place.draw('lane 1/car.jpg', 'lane 1/dim.jpg', 'lane 2/empty.jpg')
    await place.write('lane 2/copy.jpg', pictureOf('lane 1/car.jpg'))
    await place.write('broken.jpg', 'no picture')
    await writeFile(far, pictureOf('far.jpg'))
    const lines = [
      ...['lane 1/car.jpg', './lane 1/dim.jpg', 'lane 2/empty.jpg', 'lane 2/copy.jpg'],
      ...['lane 1/car.jpg', 'broken.jpg', 'missing.jpg', far, `${server.url}/url.jpg`],
    ]
    const flags = [...ARCHIVE, '--confidence-threshold', '0.5']
    const dry = await place.ingest(lines, [...flags, '--dry-run'])
    expect(dry.summary).toMatchObject({ failed: 2, would_archive: 5 })
    expect(dry.summary).not.toHaveProperty('archived')
    expect(existsSync(join(place.folder, 'archive'))).toBe(false)

    const run = await place.ingest(lines, flags)
    expect(run.exitCode, run.stderr).toBe(1)
    const counts = {
      images: 9,
      stored: 1,
      below_threshold: 1,
      no_plate: 3,
      duplicate: 2,
      failed: 2,
    }
    expect(run.summary).toMatchObject({ ...counts, archived: 5, not_archived: 0 })
    expect(await archived(place)).toEqual([
      ...['lane 1/car.jpg', 'lane 1/dim.jpg', 'lane 2/copy.jpg', 'lane 2/empty.jpg'],
      far.slice(1),
    ])
    for (const name of ['lane 1', 'lane 2', elsewhere]) {
      expect(await filesOf(join(name === elsewhere ? '/' : place.folder, name))).toEqual([])
    }
    expect(await filesOf(place.folder)).toContain('broken.jpg')

    // The same list again: what was moved is found where it is, and is known.
    const again = await place.run(['--images', 'images.txt', '--delay', '0', ...flags])
    expect(again.stdout).toContain('7 known already (not asked, not billed)\n')
    expect(again.stdout).toContain('2 failed')
    expect(place.sandbox.billedCount()).toBe(5)
  } finally {
    await rm(elsewhere, { recursive: true })
  }
})

test('a camera that uses a name again loses neither picture', async () => {
  await using place = await createWorkplace()
  await place.draw('car.jpg')
  expect((await place.ingest(['car.jpg'], ARCHIVE)).summary).toMatchObject({ archived: 1 })
  await place.write('car.jpg', pictureOf('another.jpg'))
  const { exitCode, summary, stderr } = await place.ingest(['car.jpg'], ARCHIVE)
  expect(exitCode, stderr).toBe(0)
  expect(summary).toMatchObject({ no_plate: 1, archived: 1, not_archived: 0 })
  const [beside = '', first = ''] = await archived(place)
  expect([beside, first]).toEqual([expect.stringMatching(/^car\.[0-9a-f]{8}\.jpg$/), 'car.jpg'])
  expect(await readFile(join(place.folder, 'archive', first))).toEqual(pictureOf('car.jpg'))
  expect(await readFile(join(place.folder, 'archive', beside))).toEqual(pictureOf('another.jpg'))
})

test('known and unchanged files are moved unread; what cannot be moved is told, counted, and moved by the next run', async () => {
  await using place = await createWorkplace()
  const lines = ['car.jpg', 'in/van.jpg']
  await place.draw(...lines)
  const longAgo = new Date('2026-01-02T03:04:05Z')
  for (const line of lines) await utimes(join(place.folder, line), longAgo, longAgo)
  await place.ingest(lines)
  // Where `in` should go, there is a file.
  await place.write('archive/in', 'in the way')
  const first = await place.ingest(lines, ARCHIVE)
  expect(first.exitCode).toBe(1)
  const counts = { duplicate: 2, unchanged: 2, failed: 0, bytes: 0 }
  expect(first.summary).toMatchObject({ ...counts, archived: 1, not_archived: 1 })
  expect(first.stderr).toMatch(/^in\/van\.jpg could not be moved into \S+archive: .*\(E\w+\)\.$/m)
  await rm(join(place.folder, 'archive/in'))
  const second = await place.run(['--images', 'images.txt', '--delay', '0', ...ARCHIVE])
  expect(second.exitCode, second.stderr).toBe(0)
  expect(second.stdout).toContain('1 file moved to the archive.\n')
  expect(await archived(place)).toEqual(lines)
})

/** On another file system, where the machine has one: there the bytes are copied. */
async function otherFolder(place: Workplace): Promise<string> {
  const [shared, own] = await Promise.all([
    stat('/dev/shm').catch(() => undefined),
    stat(place.folder),
  ])
  const isOther = shared !== undefined && shared.dev !== own.dev
  return isOther ? mkdtemp('/dev/shm/plate-snapshot-') : join(place.folder, 'archive')
}

describe('a run that is killed while it archives', () => {
  test.concurrent.each<[point: string, where: 'here' | 'elsewhere', both: boolean]>([
    ['before settle#2', 'here', false],
    ['before link#2', 'here', false],
    ['after link#2', 'here', true],
    ['after unlink#2', 'here', false],
    ['before unlink#2', 'elsewhere', true],
    // Of each file the first link fails: it is another file system.
    ['before link#4', 'elsewhere', false],
  ])('%s, %s, loses nothing, and the next finishes', async (point, where, both) => {
    await using place = await createWorkplace()
    const archive = where === 'here' ? join(place.folder, 'archive') : await otherFolder(place)
    try {
      const lines = await place.draw('1.jpg', '2.jpg', '3.jpg')
      const flags = ['--archive', archive, '--concurrency', '1']
      const env = { PLATE_SNAPSHOT_DIE_AT: point }
      const dead = await place.ingest(lines, flags, { env })
      expect(dead.exitCode, dead.stderr).toBe(null)
      const known = await place.query<{ source: string }>(
        `SELECT s.source FROM image_sources s JOIN plate_lookups l USING (image_sha256)
         WHERE l.answered_at IS NOT NULL`,
      )
      const sources = known.map(({ source }) => source)
      for (const line of lines) {
        const isThere = existsSync(join(archive, line))
        // Not before it is committed, and at any moment in one of the two places.
        if (isThere) expect(sources).toContain(line)
        if (isThere) expect(await readFile(join(archive, line))).toEqual(pictureOf(line))
        else expect(await readFile(join(place.folder, line))).toEqual(pictureOf(line))
      }
      const inBoth = lines.filter((line) =>
        [archive, place.folder].every((folder) => existsSync(join(folder, line))),
      )
      expect(inBoth.length > 0).toBe(both)

      const next = await place.ingest(lines, flags)
      expect(next.exitCode, next.stderr).toBe(0)
      expect(await filesOf(archive)).toEqual(lines)
      for (const line of lines) {
        expect(await readFile(join(archive, line))).toEqual(pictureOf(line))
        expect(existsSync(join(place.folder, line))).toBe(false)
      }
    } finally {
      await rm(archive, { recursive: true, force: true })
    }
  })
})

test('a worker archives too, with the tree of its own working directory, and --root holds', async () => {
  await using place = await createWorkplace()
  expect((await place.run(['migrate'])).exitCode).toBe(0)
  await place.draw('cams/car.jpg', 'out/van.jpg')
  await symlink(join(place.folder, 'out/van.jpg'), join(place.folder, 'cams/van.jpg'))
  const input = 'cams/car.jpg\ncams/van.jpg\n'
  await place.run(['enqueue', '--images', '-'], { input })
  const flags = ['--until-empty', '--delay', '0', '--json', '--root', 'cams', ...ARCHIVE]
  const { exitCode, summary, stderr } = await place.run(['work', ...flags])
  expect(exitCode, stderr).toBe(1)
  expect(summary).toMatchObject({ images: 2, no_plate: 1, failed: 1, archived: 1, not_archived: 0 })
  expect(await archived(place)).toEqual(['cams/car.jpg'])
  expect(await filesOf(join(place.folder, 'out'))).toEqual(['van.jpg'])
  expect(await filesOf(join(place.folder, 'cams'))).toEqual(['van.jpg'])
})

test('an archive that cannot be is a wrong setting, and nothing is begun', async () => {
  await using place = await createWorkplace({ isMigrated: false })
  await place.draw('car.jpg')
  await place.write('file', 'in the way')
  for (const archive of ['file/archive', '.']) {
    const { exitCode, stderr } = await place.ingest(['car.jpg'], ['--archive', archive])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('  --archive must ')
  }
  expect(await filesOf(place.folder)).toEqual(expect.arrayContaining(['car.jpg', 'file']))
  expect(place.sandbox.billedCount()).toBe(0)
})
