import { lstat, mkdir, readlink, realpath, stat, symlink, unlink } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import {
  holds,
  isWithoutLink,
  MOVE_STEPS,
  type MoveSteps,
  type Put,
  putCopy,
  type ReadFile,
} from './copy-file.ts'
import { systemCodeOf } from './errors.ts'
import { isUnchangedFile } from './seen-as.ts'

/** `gone`: another moved it. `changed`: it is another file by now, and stays. */
export type Moved = 'moved' | 'gone' | 'changed'

/** Others that are at the same file may be a step ahead so often. */
const MOST_TRIES = 5

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
  for (let tries = 1; ; tries += 1) {
    try {
      return await moveOnce(file, place, steps)
    } catch (thrown) {
      // What was there a moment ago, another has taken.
      if (tries === MOST_TRIES || systemCodeOf(thrown) !== 'ENOENT') throw thrown
    }
  }
}

async function moveOnce(file: ReadFile, place: string, steps: MoveSteps): Promise<Moved> {
  const state = await stateOf(file)
  if (state !== 'as read') return state
  await mkdir(dirname(place), { recursive: true })
  await requireOtherFolder(file.path, place)
  const isLink = (await lstat(file.path)).isSymbolicLink()
  for (const free of placesFor(place, file.sha256)) {
    const put = isLink ? await putLink(file, free) : await putFile(file, free, steps)
    if (put === 'changed') return 'changed'
    if (put === 'taken') continue
    const now = await stateOf(file)
    if (now === 'gone') return 'gone'
    // A camera may have put another there meanwhile: that one stays.
    if (now === 'as read') await steps.unlink(file.path)
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

async function putFile(file: ReadFile, place: string, steps: MoveSteps): Promise<Put> {
  try {
    await steps.link(file.path, place)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'EEXIST') return (await holds(place, file)) ? 'put' : 'taken'
    if (isWithoutLink(thrown)) return putCopy(file, place, steps)
    throw thrown
  }
  const isAsRead = isUnchangedFile(await stat(place, { bigint: true }), file.seenAs)
  if (isAsRead) return 'put'
  await unlink(place)
  return 'changed'
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
