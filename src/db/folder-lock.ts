import { randomUUID } from 'node:crypto'
import { link, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { DatabaseError, systemCodeOf } from '../errors.ts'
import { hostOf, isAlive, thisProcess } from '../machine.ts'

const identity = z.object({
  machine: z.string(),
  processId: z.number(),
  processStarted: z.string(),
})

/** How often a holder shows that it is there, in milliseconds; only shown to people, never a reason to take over. */
const SIGN_OF_LIFE_MS = 10_000

/**
 * Holds a folder for this process. The lock is a file `lock.<n>` that names the holder: a number can be taken once
 * (hard links are made or fail), so that of several processes that find a dead one's lock exactly one gets the next.
 * @throws {DatabaseError} `folder_locked`, naming the holder's host and process id
 */
export async function lockFolder(
  folder: string,
  shown: string,
): Promise<{ release(): Promise<void> }> {
  const mine = join(folder, `.${randomUUID()}`)
  await writeFile(mine, JSON.stringify(thisProcess()), { mode: 0o600, flag: 'wx' })
  try {
    for (;;) {
      const [newest = 0] = await locksIn(folder)
      const holder = await holderOf(folder, newest)
      if (holder !== undefined) throw lockedBy(holder, shown, join(shown, `lock.${newest}`))
      const path = join(folder, `lock.${newest + 1}`)
      if (!(await isTaken(mine, path))) continue
      // Between looking and taking, the folder may have been released and taken anew under another number.
      const others = (await locksIn(folder)).filter((number) => number !== newest + 1)
      const holders = await Promise.all(others.map((number) => holderOf(folder, number)))
      if (holders.some((other) => other !== undefined)) {
        await unlink(path)
        continue
      }
      await Promise.all(others.map((number) => removeLock(folder, number)))
      return keep(path)
    }
  } finally {
    await unlink(mine)
  }
}

/** Numbers of the locks in the folder, newest first. */
async function locksIn(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).flatMap(
    (name) => /^lock\.(\d{1,15})$/.exec(name)?.[1] ?? [],
  )
  return numbers.map(Number).sort((a, b) => b - a)
}

interface Holder {
  host: string
  processId: number
  isOtherMachine: boolean
  seen: Date
}

/** Who holds the lock; undefined when there is none or its process is dead. */
async function holderOf(folder: string, number: number): Promise<Holder | undefined> {
  const path = join(folder, `lock.${number}`)
  try {
    const holder = identity.parse(JSON.parse(await readFile(path, 'utf8')))
    const alive = isAlive(holder)
    if (alive === false) return undefined
    const { mtime } = await stat(path)
    const { processId } = holder
    return { host: hostOf(holder), processId, isOtherMachine: alive === undefined, seen: mtime }
  } catch (thrown) {
    // Gone; or cut short by a power failure, which ended its process too.
    if (systemCodeOf(thrown) === 'ENOENT' || thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

async function removeLock(folder: string, number: number): Promise<void> {
  await unlink(join(folder, `lock.${number}`)).catch(() => {})
}

async function isTaken(mine: string, path: string): Promise<boolean> {
  try {
    await link(mine, path)
    return true
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'EEXIST') return false
    throw thrown
  }
}

function lockedBy(holder: Holder, shown: string, path: string): DatabaseError {
  const { host, processId, isOtherMachine, seen } = holder
  const message = `The embedded database in ${shown} is held by process ${processId} on host ${host} (last sign of life: ${seen.toISOString()}).`
  const hint = `That host is not this one, so this cannot be checked from here. If that process is gone, delete ${path}, then run again.`
  return new DatabaseError('folder_locked', message, isOtherMachine ? { hint } : {})
}

function keep(path: string): { release(): Promise<void> } {
  const timer = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, SIGN_OF_LIFE_MS)
  timer.unref()
  return {
    async release() {
      clearInterval(timer)
      await unlink(path).catch(() => {})
    },
  }
}
