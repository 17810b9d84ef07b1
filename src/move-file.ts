import { constants, type Stats } from 'node:fs'
import {
  link,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { systemCodeOf } from './errors.ts'
import { isUnchangedFile, type SeenAs } from './seen-as.ts'
import { digestOf, sha256Of } from './sha256.ts'

/** A file as it was read. */
export interface ReadFile {
  path: string
  seenAs: SeenAs
  /** Of its bytes, lower-case hex. */
  sha256: string
}

/** `gone`: another moved it. `changed`: it is another file by now, and stays. */
export type Moved = 'moved' | 'gone' | 'changed'

/** The two steps that make a move; each can be looked at from outside. */
export interface MoveSteps {
  link: (from: string, to: string) => Promise<void>
  unlink: (path: string) => Promise<void>
}
export const MOVE_STEPS: MoveSteps = { link, unlink }

/** Another file system, or one without hard links: the bytes are copied. (EPERM: FAT, SMB, or a file of somebody else's.) */
const NO_LINK = /^(EXDEV|EPERM|EMLINK|ENOSYS|ENOTSUP|EOPNOTSUPP)$/

/**
 * Moves a file if it is still what was read. It is at its new place, whole, before it leaves the old one; what was cut off
 * between the two, the next move finishes. Nothing is ever overwritten: where another file has the name, it gets the first
 * digits of its SHA-256 into its own. A symbolic link is moved, and what it leads to is not.
 * @throws what the system refuses; then the file is where it was
 */
export async function moveFile(
  file: ReadFile,
  place: string,
  steps: MoveSteps = MOVE_STEPS,
): Promise<Moved> {
  const state = await stateOf(file)
  if (state !== 'as read') return state
  await mkdir(dirname(place), { recursive: true })
  await requireOtherFolder(file.path, place)
  const isLink = (await lstat(file.path)).isSymbolicLink()
  for (const free of placesFor(place, file.sha256)) {
    const put = isLink ? await putLink(file, free) : await putFile(file, free, steps)
    if (put === 'changed') return 'changed'
    if (put === 'taken') continue
    // A camera may have put another there meanwhile: that one stays.
    if ((await stateOf(file)) === 'as read') await orGone(steps.unlink(file.path))
    return 'moved'
  }
  throw new Error('files of every name that it could have are there already')
}

async function stateOf({ path, seenAs }: ReadFile): Promise<'as read' | 'gone' | 'changed'> {
  try {
    const stats = await stat(path, { bigint: true })
    return isUnchangedFile(stats, seenAs) ? 'as read' : 'changed'
  } catch (thrown) {
    if (/^(ENOENT|ENOTDIR)$/.test(systemCodeOf(thrown) ?? '')) return 'gone'
    throw thrown
  }
}

/** Found at its own place a file would count as moved, and be removed. */
async function requireOtherFolder(path: string, place: string): Promise<void> {
  const [from, to] = await Promise.all([stat(dirname(path)), stat(dirname(place))])
  if (from.dev === to.dev && from.ino === to.ino) throw new Error('it would be moved onto itself')
}

/** The name it should have, and those it gets where that is taken. */
function placesFor(place: string, sha256: string): string[] {
  const { dir, name, ext } = parse(place)
  return [place, ...[8, 64].map((digits) => join(dir, `${name}.${sha256.slice(0, digits)}${ext}`))]
}

type Put = 'put' | 'taken' | 'changed'

async function putFile(file: ReadFile, place: string, steps: MoveSteps): Promise<Put> {
  try {
    await steps.link(file.path, place)
  } catch (thrown) {
    const code = systemCodeOf(thrown) ?? ''
    if (code === 'EEXIST') return (await holds(place, file)) ? 'put' : 'taken'
    if (NO_LINK.test(code)) return putCopy(file, place, steps)
    throw thrown
  }
  const isAsRead = isUnchangedFile(await stat(place, { bigint: true }), file.seenAs)
  if (isAsRead) return 'put'
  await unlink(place)
  return 'changed'
}

/** Does a place hold the file already? So it does when an earlier move was cut off, or another process is at the same. */
async function holds(place: string, { seenAs, sha256 }: ReadFile): Promise<boolean> {
  const there = await lstat(place)
  if (!there.isFile() || !('size' in seenAs) || there.size !== seenAs.size) return false
  return (await digestOf(await readFile(place))) === sha256
}

/** It gathers beside its place and takes it whole, with the mode and the time of change that it had. */
async function putCopy(file: ReadFile, place: string, steps: MoveSteps): Promise<Put> {
  const isFree = await isFreeAt(place)
  if (!isFree) return (await holds(place, file)) ? 'put' : 'taken'
  const bytes = await readFile(file.path)
  if ((await digestOf(bytes)) !== file.sha256) return 'changed'
  const part = partOf(place, file.sha256)
  await writePart(part, bytes, await stat(file.path))
  try {
    await steps.link(part, place)
  } catch (thrown) {
    const code = systemCodeOf(thrown) ?? ''
    if (code === 'EEXIST' || code === 'ENOENT') {
      await orGone(unlink(part))
      return (await holds(place, file)) ? 'put' : 'taken'
    }
    if (!NO_LINK.test(code)) throw thrown
    // Without hard links there is no way but this one, and a moment in which another could take the place.
    if (!(await isFreeAt(place))) return (await holds(place, file)) ? 'put' : 'taken'
    await rename(part, place)
  }
  await orGone(unlink(part))
  await syncFolder(dirname(place))
  return 'put'
}

/** The same for everybody who moves the file, so that the next one takes up what a killed one left. */
function partOf(place: string, sha256: string): string {
  return join(dirname(place), `.${sha256Of(Buffer.from(`${place} ${sha256}`)).slice(0, 32)}.part`)
}

/** Two may write it at once: what is in it is never less than it was. */
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

/** A link of the same name that leads to the same place from there too. */
async function putLink({ path }: ReadFile, place: string): Promise<Put> {
  const target = await realpath(path)
  try {
    await symlink(target, place)
    return 'put'
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'EEXIST') throw thrown
    return (await readlink(place).catch(() => undefined)) === target ? 'put' : 'taken'
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

/** Another may have been faster. */
async function orGone(removing: Promise<void>): Promise<void> {
  try {
    await removing
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
  }
}
