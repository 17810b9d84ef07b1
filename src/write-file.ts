import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { ConfigError, IngestError, messageOf, systemCodeOf } from './errors.ts'

/**
 * Writes a file that appears whole under its name or not at all, for its owner alone (mode 0600: plates are personal data).
 * It gathers beside its place under a name of its own, so that no link that somebody put there is followed.
 * @param flag which flag named it, for the message
 * @throws {ConfigError} when it cannot be written; whatever `write` throws
 */
export async function writeWhole(
  path: string,
  flag: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const part = `${path}.${randomUUID()}.part`
  try {
    const file = await open(part, 'wx', 0o600)
    try {
      await write(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(part, path)
  } catch (thrown) {
    await unlink(part).catch(() => {})
    // What the system refused concerns the file; anything else is somebody else's to explain.
    if (thrown instanceof IngestError || systemCodeOf(thrown) === undefined) throw thrown
    throw new ConfigError([
      { name: flag, message: `${path} cannot be written: ${messageOf(thrown)}.` },
    ])
  }
}
