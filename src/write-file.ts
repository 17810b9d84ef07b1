import { randomUUID } from 'node:crypto'
import { type FileHandle, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfigError, IngestError, messageOf, systemCodeOf } from './errors.ts'

/** A file that is not in its place yet. */
export interface Part {
  readonly file: FileHandle
  /** What it is called until then. */
  readonly path: string
  /** Gives it the place, whole and on the disk. Rejects when the system refuses that. */
  place(): Promise<void>
  /** It goes, and what is at the place stays. */
  discard(): Promise<void>
}

/** Parts of killed runs go after so many milliseconds (30 days): by then no run is still at work on one. */
const ABANDONED_AFTER_MS = 30 * 86_400_000

/**
 * Begins a file that appears whole under its name or not at all, for its owner alone (mode 0600: plates are personal data,
 * and lines may hold links with signatures). It gathers beside its place under a name of its own, and takes the place by a
 * rename: a link that somebody put at either is not followed, and its target stays as it is.
 * @param flag which flag named the place, for the message
 * @throws {ConfigError} when it cannot be written
 */
export async function openPart(place: string, flag: string): Promise<Part> {
  const path = `${place}.${randomUUID()}.part`
  return orUnwritable(place, flag, async () => {
    await requireFilePlace(place, flag)
    await removeAbandoned(place)
    const file = await open(path, 'wx', 0o600)
    return {
      ...{ file, path },
      async place() {
        await file.sync()
        await file.close()
        await rename(path, place)
      },
      async discard() {
        await file.close()
        await unlink(path).catch(() => {})
      },
    }
  })
}

/**
 * Writes such a file from beginning to end.
 * @throws {ConfigError} when it cannot be written; whatever `write` throws
 */
export async function writeWhole(
  place: string,
  flag: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const part = await openPart(place, flag)
  try {
    await orUnwritable(place, flag, async () => {
      await write(part.file)
      await part.place()
    })
  } catch (thrown) {
    await part.discard()
    throw thrown
  }
}

/** A rename would put a file in the place of a device such as /dev/null, for everybody on the machine. */
async function requireFilePlace(place: string, flag: string): Promise<void> {
  const there = await stat(place).catch(() => undefined)
  if (there === undefined || there.isFile()) return
  const what = there.isDirectory() ? 'is a folder' : 'is no ordinary file'
  throw new ConfigError([{ name: flag, message: `${place} ${what}: name a file.` }])
}

async function removeAbandoned(place: string): Promise<void> {
  const folder = dirname(place)
  const isPart = (name: string) =>
    name.startsWith(`${basename(place)}.`) && /\.[0-9a-f-]{36}\.part$/.test(name)
  const names = await readdir(folder).catch(() => [])
  const parts = names.filter(isPart).map((name) => join(folder, name))
  for (const part of parts) {
    const found = await stat(part).catch(() => undefined)
    const isAbandoned = found !== undefined && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS
    if (isAbandoned) await unlink(part).catch(() => {})
  }
}

/** What the system refused concerns the file; anything else is somebody else's to explain. */
async function orUnwritable<T>(place: string, flag: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof IngestError || systemCodeOf(thrown) === undefined) throw thrown
    const message = `${place} cannot be written: ${messageOf(thrown)}.`
    throw new ConfigError([{ name: flag, message }])
  }
}
