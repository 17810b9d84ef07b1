import { type FileHandle, open, rename } from 'node:fs/promises'
import { ConfigError, messageOf } from './errors.ts'

/** The lines that failed, verbatim, as a file that `--images` takes. */
export interface FailedList {
  add(text: string): void
  /** Puts the file in its place, whole. */
  close(): Promise<void>
}

/**
 * Opens `--failed <file>`. The lines gather in `<file>.part` (mode 0600: they may hold links with signatures) and take
 * the file's name at the end, so that it may be the list of this very run.
 * @throws {ConfigError} when it cannot be written
 */
export async function openFailedList(path: string): Promise<FailedList> {
  const part = `${path}.part`
  let file: FileHandle
  try {
    file = await open(part, 'w', 0o600)
    await file.chmod(0o600)
  } catch (thrown) {
    throw new ConfigError([
      { name: '--failed', message: `${part} cannot be written: ${messageOf(thrown)}.` },
    ])
  }
  let written: Promise<unknown> = Promise.resolve()
  return {
    add(text) {
      written = written.then(() => file.appendFile(`${text}\n`))
    },
    async close() {
      await written
      await file.sync()
      await file.close()
      await rename(part, path)
    },
  }
}
