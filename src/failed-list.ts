import { realpath } from 'node:fs/promises'
import { messageOf } from './errors.ts'
import { openPart } from './write-file.ts'

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
 * Opens `--failed <file>`. The lines gather beside it and take the file's name at the end, so that it may be the list of
 * this very run.
 * @param list the images file of the run
 * @throws {ConfigError} when it cannot be written
 */
export async function openFailedList(path: string, list: string): Promise<FailedList> {
  const part = await openPart(path, '--failed')
  let written: Promise<unknown> = Promise.resolve()
  let failure: unknown
  return {
    add(text) {
      const append = () => part.file.appendFile(`${text}\n`)
      written = written.then(append).catch((thrown) => {
        failure ??= thrown
      })
    },
    async close(isFinished) {
      await written
      if (!isFinished && (await isSameFile(path, list))) return part.discard()
      try {
        if (failure !== undefined) throw failure
        await part.place()
      } catch (thrown) {
        throw new Error(`${messageOf(thrown)}; what could be written is in ${part.path}`)
      }
    },
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const real = (path: string) => realpath(path).catch(() => undefined)
  const [first, second] = await Promise.all([real(one), real(other)])
  return first !== undefined && first === second
}
