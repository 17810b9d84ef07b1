import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FetchError } from '../../src/errors.ts'
import { fetchImage } from '../../src/fetch-image.ts'
import { createDispatcher } from '../../src/http.ts'
import { drawPicture } from '../support/drawn-images.ts'
import { asOrdinaryUser } from '../support/ordinary-user.ts'
import { run } from '../support/programs.ts'

const MAX_BYTES = 10_000
const dispatcher = createDispatcher(5_000)
let folder: string
let picture: Buffer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-files-'))
  await chmod(folder, 0o755)
  picture = await drawPicture('png')
})
afterAll(async () => {
  await dispatcher.destroy()
  await rm(folder, { recursive: true })
})

function fetchOne(path: string) {
  const limits = { maxBytes: MAX_BYTES, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
  return fetchImage(path, limits, new AbortController().signal)
}

const file = async (name: string, bytes: Uint8Array) => {
  await writeFile(join(folder, name), bytes)
}

test.each<[what: string, name: string, code: string, prepare: (path: string) => unknown]>([
  ['that is missing', 'gone.png', 'file_not_found', () => {}],
  ['below a file', 'picture.png/gone.png', 'file_not_found', () => file('picture.png', picture)],
  ['that is a folder', 'folder', 'not_a_file', (path) => mkdir(path)],
  ['that is a pipe', 'pipe', 'not_a_file', (path) => run('mkfifo', [path])],
  ['that leads to a device', 'zero', 'not_a_file', (path) => symlink('/dev/zero', path)],
  ['that leads to itself', 'loop', 'file_unreadable', (path) => symlink(path, path)],
  ['that is empty', 'empty.png', 'empty_image', () => file('empty.png', Buffer.alloc(0))],
  [
    'that is too large',
    'large.png',
    'too_large',
    () => file('large.png', Buffer.alloc(MAX_BYTES + 1)),
  ],
])('a path %s fails', async (_what, name, code, prepare) => {
  const path = join(folder, name)
  await prepare(path)
  const error = await fetchOne(path).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(FetchError)
  expect(error).toMatchObject({ code, scope: 'image', isTransient: false })
  expect(error.message).toContain(path)
})

test('a file that its user may not read is file_unreadable', async () => {
  const path = join(folder, 'private.png')
  await file('private.png', picture)
  await chmod(path, 0o000)
  const error = await asOrdinaryUser(() => fetchOne(path).catch((thrown) => thrown))
  expect(error).toMatchObject({ code: 'file_unreadable', scope: 'image', isTransient: false })
})

test.each(['two words.png', 'Größe – 車.png', '100% sure?#1.png', '12:30.png', '-', "o'clock.png"])(
  'the name %s is taken as it stands',
  async (name) => {
    await file(name, picture)
    const path = join(folder, name)
    expect(await fetchOne(path)).toMatchObject({ source: path, bytes: picture })
  },
)

test('a relative path starts at the working directory', async () => {
  const limits = { maxBytes: 10_000_000, maxPixels: 10_000_000, timeoutMs: 5_000, dispatcher }
  const path = 'samples/old-town-bus-front.png'
  const image = await fetchImage(path, limits, new AbortController().signal)
  expect(image.mime).toBe('image/png')
})

test('a file of just the cap is taken', async () => {
  await file('just.png', Buffer.concat([picture], MAX_BYTES))
  expect((await fetchOne(join(folder, 'just.png'))).size).toBe(MAX_BYTES)
})

test('--root keeps paths inside its folder, however they lead out', async () => {
  const root = join(folder, 'kept')
  await mkdir(join(root, 'deep'), { recursive: true })
  await symlink(root, join(folder, 'also-kept'))
  await file('outside.png', picture)
  await file('kept/inside.png', picture)
  await file('kept2.png', picture)
  await symlink('../outside.png', join(root, 'out.png'))
  await symlink('..', join(root, 'up'))
  await symlink('inside.png', join(root, 'in.png'))
  const fetchWithin = async (path: string, given = root) => {
    const access = { maxBytes: MAX_BYTES, maxPixels: 1_000_000, timeoutMs: 5_000, dispatcher }
    const within = { ...access, root: { given, real: await realpath(given) } }
    return fetchImage(path, within, new AbortController().signal)
  }
  const inside = ['inside.png', 'in.png', 'deep/../inside.png', '../kept/inside.png']
  for (const name of inside) {
    expect(await fetchWithin(`${root}/${name}`), name).toMatchObject({ bytes: picture })
    const named = `${folder}/also-kept/${name}`
    expect(await fetchWithin(named, join(folder, 'also-kept')), name).toMatchObject({
      bytes: picture,
    })
  }
  const outside = ['out.png', 'up/outside.png', '../outside.png', '../kept2.png', '../gone.png']
  for (const path of [...outside.map((name) => `${root}/${name}`), 'samples/none.jpg']) {
    const error = await fetchWithin(path).catch((thrown: unknown) => thrown)
    expect(error, path).toMatchObject({ code: 'path_refused', isTransient: false, scope: 'image' })
  }
  await expect(fetchWithin(`${root}/gone.png`)).rejects.toMatchObject({ code: 'file_not_found' })
  await expect(fetchWithin(root)).rejects.toMatchObject({ code: 'not_a_file' })
})
