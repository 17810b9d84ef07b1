import { closeSync, constants, fstatSync, open, read, stat } from 'node:fs'
import { promisify } from 'node:util'
import { shortBody, tooLarge } from './download.ts'
import { FetchError, messageOf, systemCodeOf } from './errors.ts'
import type { ReadBytes } from './fetch-image.ts'
import { isUnchangedFile, type SeenAs, seenFile } from './seen-as.ts'
import { digestOf } from './sha256.ts'

/** What is asked of an open file comes without delay; a round through Node's threads costs 30 times as much. */
const openFile = promisify(open)
const statOf = promisify(stat)
const readFrom = promisify(read)

/**
 * The bytes of a local file; undefined, and the file not opened, when it is as it was.
 * @throws {FetchError}
 */
export async function readFile(
  path: string,
  maxBytes: number,
  before: SeenAs | undefined,
): Promise<ReadBytes | undefined> {
  try {
    if (before !== undefined) {
      const stats = await statOf(path, { bigint: true })
      if (stats.isFile() && isUnchangedFile(stats, before)) return undefined
    }
    // Without O_NONBLOCK, opening a named pipe waits for a writer, if need be for ever.
    const file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      return await readAll(file, path, maxBytes)
    } finally {
      closeSync(file)
    }
  } catch (thrown) {
    throw fileError(path, thrown)
  }
}

async function readAll(file: number, path: string, maxBytes: number): Promise<ReadBytes> {
  // Before it is read: what changes meanwhile is seen to be another the next time.
  const stats = fstatSync(file, { bigint: true })
  if (!stats.isFile()) throw new FetchError('not_a_file', `${path} is not a file.`)
  const size = Number(stats.size)
  if (size > maxBytes) throw tooLarge(path, size, maxBytes)
  const bytes = Buffer.allocUnsafeSlow(size)
  for (let at = 0; at < size; ) {
    const { bytesRead } = await readFrom(file, bytes, at, size - at, at)
    if (bytesRead === 0) throw shortBody(path, at, size)
    at += bytesRead
  }
  return { bytes, sha256: await digestOf(bytes), seenAs: seenFile(stats) }
}

function fileError(path: string, thrown: unknown): FetchError {
  if (thrown instanceof FetchError) return thrown
  const code = systemCodeOf(thrown)
  const cause = { cause: thrown }
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || path.includes('\0')) {
    return new FetchError('file_not_found', `${path} does not exist.`, cause)
  }
  if (code === 'EISDIR') return new FetchError('not_a_file', `${path} is a folder.`, cause)
  return new FetchError('file_unreadable', `${path} cannot be read: ${messageOf(thrown)}.`, cause)
}
