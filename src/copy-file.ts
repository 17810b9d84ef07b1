import { constants, type Stats } from 'node:fs'
import { link, lstat, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCodeOf } from './errors.ts'
import type { SeenAs } from './seen-as.ts'
import { digestOf, sha256Of } from './sha256.ts'

/** A file as it was read. */
export interface ReadFile {
  path: string
  seenAs: SeenAs
  /** Of its bytes, lower-case hex. */
  sha256: string
}

/** `taken`: another file has the place. `changed`: it is no longer what was read. */
export type Put = 'put' | 'taken' | 'changed'

/** The two steps that make a move; each can be looked at from outside. */
export interface MoveSteps {
  link: (from: string, to: string) => Promise<void>
  unlink: (path: string) => Promise<void>
}
export const MOVE_STEPS: MoveSteps = { link, unlink }

/** There is no hard link from the one to the other: another file system, one without them (FAT, SMB), somebody else's file. */
export function isWithoutLink(thrown: unknown): boolean {
  const code = systemCodeOf(thrown) ?? ''
  return /^(EXDEV|EPERM|EMLINK|ENOSYS|ENOTSUP|EOPNOTSUPP)$/.test(code)
}

/** Does a place hold the file already? So it does when an earlier move was cut off, or another process is at the same. */
export async function holds(place: string, { seenAs, sha256 }: ReadFile): Promise<boolean> {
  const there = await lstat(place)
  if (!there.isFile() || !('size' in seenAs) || there.size !== seenAs.size) return false
  return (await digestOf(await readFile(place))) === sha256
}

/**
 * Copies a file to a place that is free. It gathers beside the place and takes it whole and on the disk, with the mode and
 * the time of change that it had.
 * @throws what the system refuses; ENOENT also when another process has just done the same
 */
export async function putCopy(file: ReadFile, place: string, steps: MoveSteps): Promise<Put> {
  if (!(await isFreeAt(place))) return (await holds(place, file)) ? 'put' : 'taken'
  const bytes = await readFile(file.path)
  if ((await digestOf(bytes)) !== file.sha256) return 'changed'
  const part = partOf(place, file.sha256)
  await writePart(part, bytes, await stat(file.path))
  try {
    await giveName(part, place, steps)
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'EEXIST') throw thrown
    return (await holds(place, file)) ? 'put' : 'taken'
  } finally {
    await orGone(unlink(part))
  }
  await syncFolder(dirname(place))
  return 'put'
}

/** The same for everybody who moves the file, so that the next one takes up what a killed one left. */
function partOf(place: string, sha256: string): string {
  return join(dirname(place), `.${sha256Of(Buffer.from(`${place} ${sha256}`)).slice(0, 32)}.part`)
}

/** Two may write it at once: the bytes are the same, and none that are there are taken away. */
async function writePart(
  part: string,
  bytes: Buffer,
  { mode, atime, mtime }: Stats,
): Promise<void> {
  const { O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
  const file = await open(part, O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    await file.writeFile(bytes)
    await file.truncate(bytes.length)
    // What a killed move left, the next one must be able to write.
    await file.chmod((mode & 0o777) | 0o200)
    await file.utimes(atime, mtime)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A name that nothing has. @throws EEXIST when something has it */
async function giveName(part: string, place: string, { link }: MoveSteps): Promise<void> {
  try {
    await link(part, place)
  } catch (thrown) {
    if (!isWithoutLink(thrown)) throw thrown
    // A rename overwrites what is there: only what was made for that a moment before.
    const reserved = await open(place, 'wx')
    await reserved.close()
    try {
      await rename(part, place)
    } catch (refusal) {
      await unlink(place)
      throw refusal
    }
  }
}

async function isFreeAt(place: string): Promise<boolean> {
  try {
    await lstat(place)
    return false
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return true
    throw thrown
  }
}

/** Until then a loss of power could take the name of what is there. Some file systems know no such thing. */
async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder)
  try {
    await opened.sync()
  } catch (thrown) {
    if (!/^(EINVAL|EPERM|ENOTSUP|EOPNOTSUPP)$/.test(systemCodeOf(thrown) ?? '')) throw thrown
  } finally {
    await opened.close()
  }
}

/** Removes what another may have removed. */
async function orGone(removing: Promise<void>): Promise<void> {
  try {
    await removing
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
  }
}
