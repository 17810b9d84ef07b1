import { type FileHandle, open, realpath, rename, unlink } from 'node:fs/promises'
import { ConfigError, messageOf } from './errors.ts'

/** The lines that failed, verbatim, as a file that `--images` takes. */
export interface FailedList {
  add(text: string): void
  /**
   * Puts the file in its place, whole. A run that ended early (`isFinished` false) does not put it over its own list,
   * which still names all that is left to do. Rejects when a line could not be written.
   */
  close(isFinished: boolean): Promise<void>
}

/**
 * Opens `--failed <file>`. The lines gather in `<file>.part` (mode 0600: they may hold links with signatures) and take
 * the file's name at the end, so that it may be the list of this very run.
 * @param list the images file of the run
 * @throws {ConfigError} when it cannot be written
 */
export async function openFailedList(path: string, list: string): Promise<FailedList> {
  const part = `${path}.part`
  let file: FileHandle
  try {
    file = await open(part, 'w', 0o600)
    await file.chmod(0o600)
  } catch (thrown) {
    throw new ConfigError([
      { name: '--failed', message: `${path} cannot be written: ${messageOf(thrown)}.` },
    ])
  }
  let written: Promise<unknown> = Promise.resolve()
  let failure: unknown
  return {
    add(text) {
      const append = () => file.appendFile(`${text}\n`)
      written = written.then(append).catch((thrown) => {
        failure ??= thrown
      })
    },
    async close(isFinished) {
      await written
      if (failure !== undefined) throw failure
      await file.sync()
      await file.close()
      if (isFinished || !(await isSameFile(path, list))) await rename(part, path)
      else await unlink(part)
    },
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const real = (path: string) => realpath(path).catch(() => undefined)
  const [first, second] = await Promise.all([real(one), real(other)])
  return first !== undefined && first === second
}
