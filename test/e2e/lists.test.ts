import { link, mkdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { answersFor } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const LONG_AGO = new Date('2026-01-02T03:04:05Z')
const PLATES = answersFor({
  'a.jpg': [['aaa111', 0.9]],
  'b.jpg': [['bbb222', 0.9]],
  'c.jpg': [['ccc333', 0.9]],
})
const ROWS = `SELECT plate_text AS plate, camera_id AS camera, meta->'lane' AS lane
  FROM vehicle_snapshots ORDER BY plate_text`

/** The regions that were sent with each camera. */
const asked = (place: Workplace) =>
  Object.fromEntries(
    place.sandbox.lookups.map(({ fields }) => [String(fields['camera_id']), fields['regions']]),
  )

test('a list of JSON Lines says what is known of each image, and its failed lines are such a list', async () => {
  await using place = await createWorkplace({ sandbox: { answers: PLATES } })
  await place.draw('a.jpg', 'b.jpg')
  const lines = [
    { image: 'a.jpg', camera_id: 'gate', regions: ['fr', 'de'], meta: { lane: 2 } },
    { image: 'b.jpg' },
    { image: 'c.jpg', camera_id: 'late', meta: { lane: 3 } },
    { image: 'd.jpg', camera: 'gate' },
  ].map((line) => JSON.stringify(line))
  await place.write('cars.jsonl', `${lines.join('\n')}\n`)
  const flags = ['--images', 'cars.jsonl', '--delay', '0', '--camera-id', 'any', '--regions', 'us']

  const first = await place.run([...flags, '--json', '--failed', 'failed.jsonl'])
  expect(first.exitCode, first.stderr).toBe(1)
  expect(first.summary).toMatchObject({ images: 4, stored: 2, failed: 2, lookups: 2 })
  expect(first.stderr).toContain(
    'line 4: cars.jsonl: "camera" means nothing here; a line may have image, camera_id, captured_at, regions, meta. [bad_line]',
  )
  expect(asked(place)).toEqual({ gate: ['fr', 'de'], any: ['us'] })

  await place.draw('c.jpg')
  const again = await place.run(['--images', 'failed.jsonl', '--delay', '0', '--json'])
  expect(again.summary).toMatchObject({ images: 2, stored: 1, failed: 1, lookups: 1 })
  expect(await place.query(ROWS)).toEqual([
    { plate: 'aaa111', camera: 'gate', lane: 2 },
    { plate: 'bbb222', camera: 'any', lane: null },
    { plate: 'ccc333', camera: 'late', lane: 3 },
  ])
  const wrong = await place.run([...flags, '--failed', 'failed.txt'])
  expect([wrong.exitCode, wrong.stdout]).toEqual([2, ''])
  expect(wrong.stderr).toContain(
    '--failed failed.txt would be read as another kind of list than the one it is of: name it failed.jsonl.',
  )
})

test('a CSV list goes through the queue with what it says', async () => {
  await using place = await createWorkplace({ sandbox: { answers: PLATES } })
  await place.draw('a.jpg', 'b.jpg')
  await place.run(['migrate'])
  await place.write(
    'cars.csv',
    'image;camera_id;meta\r\na.jpg;gate;"{""lane"":2}"\r\nb.jpg;;[1]\r\n',
  )
  const put = await place.run(['enqueue', '--images', 'cars.csv', '--json'])
  expect(put.exitCode, put.stderr).toBe(1)
  expect(put.records).toMatchObject([{ event: 'enqueued', lines: 1, new: 1, failed: 1 }])
  expect(put.stderr).toContain(
    'line 3: cars.csv: meta must be a JSON object that a database can keep. [bad_line]',
  )

  const work = await place.run(['work', '--until-empty', '--delay', '0', '--json'])
  expect(work.summary).toMatchObject({ images: 1, stored: 1 })
  expect(await place.query(ROWS)).toEqual([{ plate: 'aaa111', camera: 'gate', lane: 2 }])
})

test('a tree of 5,000 files is read in order, its cameras from their folders, what changed last not', async () => {
  await using place = await createWorkplace({ sandbox: { answers: PLATES } })
  await place.draw('a.jpg', 'b.jpg')
  await utimes(join(place.folder, 'a.jpg'), LONG_AGO, LONG_AGO)
  // Links to one file: what a camera saw twice is bought once.
  for (let hour = 0; hour < 50; hour += 1) {
    const folder = join(place.folder, 'ftp', `cam-${hour % 5}`, String(hour).padStart(2, '0'))
    await mkdir(folder, { recursive: true })
    const images = Array.from({ length: 100 }, (_, n) => join(folder, `${n}.jpg`))
    await Promise.all(images.map((image) => link(join(place.folder, 'a.jpg'), image)))
  }
  await link(join(place.folder, 'b.jpg'), join(place.folder, 'ftp', 'cam-0', 'new.jpg'))
  const flags = ['--camera-from-path', 'ftp/([^/]+)/', '--json', '--delay', '0']

  const whole = await place.run(['--images', 'ftp', '--settle', '3600', '--dry-run', ...flags])
  expect(whole.exitCode, whole.stderr).toBe(0)
  expect(whole.summary).toMatchObject({ images: 5_000, would_look_up: 1, failed: 0 })
  expect(whole.stderr).toContain(
    '1 file changed within the last 3600 s, and is left for the next run (--settle).',
  )
  expect(new Set(whole.images.map(({ source }) => source)).size).toBe(5_000)

  const glob = await place.run(['--images', 'ftp/*/{03,new}*', ...flags, '--settle', '0'])
  expect(glob.summary).toMatchObject({ images: 1, stored: 1, lookups: 1 })
  const some = await place.run(['--images', 'ftp/**/0[37]/1?.jpg', ...flags, '--settle', '0'])
  expect(some.summary).toMatchObject({ images: 20, stored: 1, duplicate: 19, lookups: 1 })
  expect(some.images.map(({ line }) => line).sort((a, b) => a - b)[0]).toBe(1)
  const cameras = (await place.query<{ camera: string }>(ROWS)).map(({ camera }) => camera)
  expect(cameras).toEqual([expect.stringMatching(/^cam-[23]$/), 'cam-0'])
})

test('a folder and --no-local do not go together', async () => {
  await using place = await createWorkplace()
  await place.draw('cams/a.jpg')
  const refused = await place.run(['--images', 'cams', '--no-local'])
  expect([refused.exitCode, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toContain('--no-local refuses every path, and --images names a folder.')
})
