import { existsSync } from 'node:fs'
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MOVE_STEPS, type MoveSteps, type ReadFile } from '../../src/copy-file.ts'
import { moveFile } from '../../src/move-file.ts'
import { fileAs } from '../../src/seen-as.ts'
import { sha256Of } from '../../src/sha256.ts'
import { asOrdinaryUser } from '../support/ordinary-user.ts'

const LONG_AGO = new Date('2026-01-02T03:04:05.678Z')
const BYTES = Buffer.from('the bytes of a picture')
const SHA8 = sha256Of(BYTES).slice(0, 8)

let folder: string
let path: string
let place: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-move-'))
  await chmod(folder, 0o777)
  await mkdir(join(folder, 'inbox'))
  path = join(folder, 'inbox/car.jpg')
  place = join(folder, 'archive/lane 1/car.jpg')
  await writeFile(path, BYTES)
  await chmod(path, 0o444)
  await utimes(path, LONG_AGO, LONG_AGO)
})
afterEach(() => rm(folder, { recursive: true }))

/** The file as it is now, as if it had just been read. */
async function readNow(): Promise<ReadFile> {
  const stats = await stat(path, { bigint: true })
  return { path, seenAs: fileAs(stats), sha256: sha256Of(await readFile(path)) }
}

const refused = (code: string) => Object.assign(new Error(`${code}: refused`), { code })

/** What a move between two file systems comes to, and one on a file system without hard links. */
const acrossTo: MoveSteps['link'] = (from, to) =>
  from === path ? Promise.reject(refused('EXDEV')) : link(from, to)
const noLinks = () => Promise.reject(refused('EPERM'))

/** All that there is, folders left out. */
async function files(): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

describe.each<[how: string, link: MoveSteps['link']]>([
  ['within a file system', link],
  ['to another file system', acrossTo],
  ['without hard links', noLinks],
])('a file that is moved %s', (how, link) => {
  const move = async (steps: Partial<MoveSteps> = {}, file?: ReadFile) =>
    moveFile(file ?? (await readNow()), place, { ...MOVE_STEPS, link, ...steps })

  test('is at its new place with its bytes and its time, and at the old one no more', async () => {
    expect(await move()).toBe('moved')
    expect(await files()).toEqual(['archive/lane 1/car.jpg'])
    expect(await readFile(place)).toEqual(BYTES)
    const { mtimeMs, mode } = await stat(place)
    expect(mtimeMs).toBe(LONG_AGO.getTime())
    expect(mode & 0o577).toBe(0o444)
  })

  test('overwrites nothing: it gets a name beside, and another one beside that', async () => {
    await mkdir(join(folder, 'archive/lane 1'), { recursive: true })
    await writeFile(place, 'the bytes of another p')
    await mkdir(join(folder, `archive/lane 1/car.${SHA8}.jpg`))
    expect(await move()).toBe('moved')
    const name = `archive/lane 1/car.${sha256Of(BYTES)}.jpg`
    expect(await files()).toEqual([name, 'archive/lane 1/car.jpg'])
    expect(await readFile(join(folder, name))).toEqual(BYTES)
  })

  test('goes where the same bytes are there already', async () => {
    await mkdir(join(folder, 'archive/lane 1'), { recursive: true })
    await writeFile(place, BYTES)
    expect(await move()).toBe('moved')
    expect(await files()).toEqual(['archive/lane 1/car.jpg'])
  })

  test('is in one of both places when the move is cut off, and moved by the next', async () => {
    const cutOff = move({ unlink: () => Promise.reject(refused('EIO')) })
    await expect(cutOff).rejects.toThrow('EIO')
    expect(await files()).toEqual(['archive/lane 1/car.jpg', 'inbox/car.jpg'])
    expect(await move()).toBe('moved')
    expect(await files()).toEqual(['archive/lane 1/car.jpg'])
  })

  test('is moved by several at the same time as by one', async () => {
    const file = await readNow()
    const moved = await Promise.all(Array.from({ length: 4 }, () => move({}, file)))
    expect(moved).toContain('moved')
    const left = await files()
    // Without hard links one may find the place taken by another that has yet to fill it.
    const others = how === 'without hard links' ? left.filter((name) => name.includes(SHA8)) : []
    expect(left).toEqual([...others, 'archive/lane 1/car.jpg'])
    for (const name of left) expect(await readFile(join(folder, name))).toEqual(BYTES)
  })

  test.each<[what: string, change: () => Promise<unknown>]>([
    ['another size', () => rename(path, `${path}~`).then(() => writeFile(path, 'new'))],
    ['another time', () => utimes(path, LONG_AGO, new Date())],
    [
      'another of its size and time',
      async () => {
        await writeFile(`${path}~`, BYTES)
        await utimes(`${path}~`, LONG_AGO, LONG_AGO)
        await rename(`${path}~`, path)
      },
    ],
  ])('stays when it has become %s since it was read', async (_what, change) => {
    const file = await readNow()
    await change()
    expect(await move({}, file)).toBe('changed')
    expect(existsSync(path)).toBe(true)
    expect(existsSync(place)).toBe(false)
  })

  test('is of no concern when another has moved it', async () => {
    const file = await readNow()
    await unlink(path)
    expect(await move({}, file)).toBe('gone')
    expect(await files()).toEqual([])
  })
})

test.each<[how: string, link: MoveSteps['link']]>([
  ['within a file system', link],
  ['to another file system', acrossTo],
])('a file that came in place of one that is being moved %s stays', async (_how, link) => {
  const another: MoveSteps['link'] = async (from, to) => {
    await link(from, to)
    await unlink(path)
    await writeFile(path, 'the next picture')
  }
  expect(await moveFile(await readNow(), place, { ...MOVE_STEPS, link: another })).toBe('moved')
  expect(await readFile(path, 'utf8')).toBe('the next picture')
  expect(await readFile(place)).toEqual(BYTES)
})

test.each<[how: string, link: MoveSteps['link']]>([
  ['to another file system', acrossTo],
  ['without hard links', noLinks],
])('what a move %s left when it was killed, the next takes up', async (_how, link) => {
  const file = await readNow()
  let part = ''
  const noting: MoveSteps['link'] = async (from, to) => {
    if (from !== path) part = from
    await (from === path ? link(from, to) : Promise.reject(refused('EIO')))
  }
  await expect(moveFile(file, place, { ...MOVE_STEPS, link: noting })).rejects.toThrow('EIO')
  expect(await files()).toEqual(['inbox/car.jpg'])
  await writeFile(part, 'half of the bytes, and of others: longer than the picture')
  expect(await moveFile(file, place, { ...MOVE_STEPS, link })).toBe('moved')
  expect(await files()).toEqual(['archive/lane 1/car.jpg'])
  expect(await readFile(place)).toEqual(BYTES)
})

test('a file is moved to a file system that really is another, where the machine has one', async () => {
  const [shared, own] = await Promise.all([stat('/dev/shm').catch(() => undefined), stat(folder)])
  const other =
    shared && shared.dev !== own.dev ? await mkdtemp('/dev/shm/plate-snapshot-') : folder
  try {
    const there = join(other, 'moved/car.jpg')
    expect(await moveFile(await readNow(), there)).toBe('moved')
    expect(await readFile(there)).toEqual(BYTES)
    expect(existsSync(path)).toBe(false)
  } finally {
    if (other !== folder) await rm(other, { recursive: true })
  }
})

test('of a symbolic link the link is moved, and leads where it led', async () => {
  const target = join(folder, 'store.jpg')
  await rename(path, target)
  await symlink('../store.jpg', path)
  expect(await moveFile(await readNow(), place)).toBe('moved')
  expect(await files()).toEqual(['archive/lane 1/car.jpg', 'store.jpg'])
  expect((await lstat(place)).isSymbolicLink()).toBe(true)
  expect(await readFile(place)).toEqual(BYTES)
  await symlink('../store.jpg', path)
  expect(await moveFile(await readNow(), place)).toBe('moved')
  expect(await readlink(place)).toBe(target)
  expect(await files()).toEqual(['archive/lane 1/car.jpg', 'store.jpg'])
})

test('a file is not moved onto itself, by whatever way', async () => {
  await symlink(join(folder, 'inbox'), join(folder, 'also'))
  const file = await readNow()
  for (const there of [path, join(folder, 'also/car.jpg')]) {
    await expect(moveFile(file, there)).rejects.toThrow('onto itself')
  }
  expect(await readFile(path)).toEqual(BYTES)
})

test('a file that may not be moved stays, and why is told', async () => {
  await mkdir(join(folder, 'archive'))
  await chmod(join(folder, 'archive'), 0o555)
  const file = await readNow()
  await asOrdinaryUser(() => expect(moveFile(file, place)).rejects.toThrow('EACCES'))
  expect(await files()).toEqual(['inbox/car.jpg'])
})
