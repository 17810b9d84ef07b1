import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedDatabase } from '../../src/db/embedded.ts'
import { lockFolder } from '../../src/db/folder-lock.ts'
import { DatabaseError } from '../../src/errors.ts'
import { type ProcessIdentity, thisProcess } from '../../src/machine.ts'
import { startLockChild } from '../support/children.ts'
import { asOrdinaryUser } from '../support/ordinary-user.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-lock-'))
})
afterEach(() => rm(folder, { recursive: true }))

const lock = () => lockFolder(folder, './plates')

async function refusal(): Promise<DatabaseError> {
  const error = await lock().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof DatabaseError)) throw new Error('a DatabaseError was expected')
  return error
}

const locks = async () => (await readdir(folder)).filter((name) => name.startsWith('lock.'))

async function leaveLock(holder: Partial<ProcessIdentity>, number = 1): Promise<void> {
  const identity = { ...thisProcess(), ...holder }
  await writeFile(join(folder, `lock.${number}`), JSON.stringify(identity))
}

test('a folder is held until it is released, and leaves nothing behind', async () => {
  const first = await lock()
  expect(await refusal()).toMatchObject({ code: 'folder_locked', scope: 'run' })
  await first.release()
  const second = await lock()
  await second.release()
  expect(await readdir(folder)).toEqual([])
})

test('who comes second is told the host and the process that hold the folder', async () => {
  await using child = startLockChild(folder)
  expect(await child.lock()).toBe('held')
  const error = await refusal()
  expect(error).toMatchObject({ code: 'folder_locked', scope: 'run' })
  expect(error.message).toContain(
    `./plates is held by process ${child.processId} on host ${hostname()}`,
  )
  expect(error.hint).toContain('Wait for it to end')
})

test('a child is refused in the same way by its parent', async () => {
  const held = await lock()
  await using child = startLockChild(folder)
  expect(await child.lock()).toContain(`process ${process.pid} on host ${hostname()}`)
  await held.release()
})

test('the lock of a process that was killed is taken over', async () => {
  await using child = startLockChild(folder)
  expect(await child.lock()).toBe('held')
  await child.kill()
  expect(await locks()).toEqual(['lock.1'])

  const held = await lock()
  expect(await locks()).toEqual(['lock.2'])
  const text = await readFile(join(folder, 'lock.2'), 'utf8')
  expect(JSON.parse(text)).toEqual(thisProcess())
  await held.release()
})

test('of ten processes at a dead lock exactly one gets it', async () => {
  await leaveLock({ processStarted: 'long ago' }, 7)
  const children = Array.from({ length: 10 }, () => startLockChild(folder))
  try {
    const said = await Promise.all(children.map((child) => child.lock()))
    const winners = children.filter((_, n) => said[n] === 'held')
    expect(winners).toHaveLength(1)
    const told = said.filter((message) => message !== 'held')
    const held = `is held by process ${winners[0]?.processId} `
    expect(told.every((message) => message.includes(held))).toBe(true)
    expect(await locks()).toEqual(['lock.8'])
  } finally {
    await Promise.all(children.map((child) => child.kill()))
  }
})

test('of many openers in one process, again and again, one at a time holds it', async () => {
  for (let round = 0; round < 20; round += 1) {
    const tries = await Promise.allSettled(Array.from({ length: 5 }, lock))
    const held = tries.flatMap((tried) => (tried.status === 'fulfilled' ? [tried.value] : []))
    expect(held).toHaveLength(1)
    await held[0]?.release()
  }
})

test.each<[what: string, holder: Partial<ProcessIdentity>]>([
  ['whose number another process has by now', { processStarted: 'long ago' }],
  ['whose number nobody has', { processId: 2 ** 22 + 1 }],
])('the lock of a process %s is taken over', async (_what, holder) => {
  await leaveLock(holder)
  const held = await lock()
  await held.release()
})

test('a lock that a power failure left empty is taken over', async () => {
  await writeFile(join(folder, 'lock.3'), '')
  const held = await lock()
  expect(await locks()).toEqual(['lock.4'])
  await held.release()
})

test.each<[what: string, machine: string]>([
  ['another host', 'gate-7 5b0a-boot pid:[4026531836]'],
  ['a container on this host', `${hostname()} 5b0a-boot pid:[1]`],
])('the lock of %s is refused, dead or alive, with the file to delete', async (_what, machine) => {
  await leaveLock({ machine, processId: 123 })
  const error = await refusal()
  expect(error.code).toBe('folder_locked')
  expect(error.message).toContain(`process 123 on host ${machine.split(' ')[0]}`)
  expect(error.hint).toContain(join('./plates', 'lock.1'))
  expect(await locks()).toEqual(['lock.1'])
})

test('a second opening of the embedded database is refused before it touches the data', async () => {
  const held = await lock()
  const error = await openEmbeddedDatabase(folder).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'folder_locked' })
  expect(await locks()).toEqual(['lock.1'])
  expect(await readdir(folder)).toEqual(['lock.1'])
  await held.release()
})

test('a folder that cannot be used says so, and how to name another', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  const closed = join(folder, 'closed')
  await mkdir(closed)
  await chmod(closed, 0o555)
  await chmod(folder, 0o755)
  for (const path of [file, join(file, 'below'), closed]) {
    const error = await asOrdinaryUser(() =>
      openEmbeddedDatabase(path).catch((thrown: unknown) => thrown),
    )
    expect(error).toMatchObject({ code: 'folder_unusable', scope: 'run' })
    expect(String(error)).toContain(path)
  }
})
