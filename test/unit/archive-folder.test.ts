import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placeIn } from '../../src/archive-folder.ts'
import { readIngestOptions, readWorkOptions } from '../../src/options.ts'

const HERE = process.cwd()

test.each<[what: string, text: string, base: string | undefined, place: string | undefined]>([
  ['a name', 'car.jpg', undefined, '/archive/car.jpg'],
  ['a relative path', 'lane 1/a/car.jpg', undefined, '/archive/lane 1/a/car.jpg'],
  ['a path with dots', './lane/../b/./car.jpg', undefined, '/archive/b/car.jpg'],
  ['a path in the working directory', join(HERE, 'b/car.jpg'), undefined, '/archive/b/car.jpg'],
  ['a path elsewhere', '/srv/cams/car.jpg', undefined, '/archive/srv/cams/car.jpg'],
  ['a path that leads up', '../car.jpg', undefined, join('/archive', resolve('../car.jpg'))],
  ['a path that leads up beyond the root', '/../../car.jpg', undefined, '/archive/car.jpg'],
  ['a name that begins with dots', '..car.jpg', undefined, '/archive/..car.jpg'],
  ['a file of a folder', '/srv/cams/1/car.jpg', '/srv/cams', '/archive/1/car.jpg'],
  ['a file of a folder here', 'cams/1/car.jpg', join(HERE, 'cams'), '/archive/1/car.jpg'],
  ['a file beside that folder', '/srv/cams2/car.jpg', '/srv/cams', '/archive/srv/cams2/car.jpg'],
  ['a file of the archive', '/archive/1/car.jpg', undefined, undefined],
  ['a file beside the archive', '/archive2/car.jpg', undefined, '/archive/archive2/car.jpg'],
])('in the archive %s has its tree', (_what, text, base, place) => {
  expect(placeIn('/archive', { line: 1, text, source: text, base })).toBe(place)
})

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plate-snapshot-archive-'))
  mkdirSync(join(folder, 'inbox/cams'), { recursive: true })
  writeFileSync(join(folder, 'file'), '')
  symlinkSync(join(folder, 'inbox'), join(folder, 'also'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test.each<[what: string, archive: string, images: string, said: RegExp | undefined]>([
  ['is missing', 'new/archive', 'inbox', undefined],
  ['lies in the folder of the images', 'inbox/done', 'inbox', undefined],
  ['lies beside the list', '.', 'file', undefined],
  ['is a file', 'file', 'inbox', /must be a folder, and \S+file is none/],
  ['is below a file', 'file/archive', 'inbox', /must be a folder, and \S+file is none/],
  ['is the folder of the images', 'inbox', 'inbox', /must not hold the folder of --images/],
  ['is that by another name', 'also', 'inbox/', /must not hold the folder of --images/],
  ['lies above it', '.', 'inbox/cams', /must not hold the folder of --images/],
  ['lies above the working directory', HERE, 'file', /must not hold the working directory/],
  ['is the whole disk', '/', 'file', /must not hold the working directory/],
  ['is nothing', '', 'file', undefined],
])('an archive that %s is taken or refused', (_what, name, images, said) => {
  const archive = name === '' ? undefined : resolve(folder, name)
  const given = { images: join(folder, images), archive }
  const { options, problems } = readIngestOptions(given)
  if (said === undefined) expect(options?.archive).toBe(archive)
  else expect(problems).toMatchObject([{ name: '--archive', message: expect.stringMatching(said) }])
})

test('a worker takes and refuses the same archives, and one without a name', () => {
  expect(readWorkOptions({ archive: join(folder, 'new') }).options?.archive).toBe(
    join(folder, 'new'),
  )
  for (const archive of [HERE, join(folder, 'file'), '']) {
    expect(readWorkOptions({ archive }).problems).toMatchObject([{ name: '--archive' }])
  }
})
