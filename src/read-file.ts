import { createHash } from 'node:crypto'
import { constants, type FileHandle, open, stat } from 'node:fs/promises'
import { shortBody, tooLarge } from './download.ts'
import { FetchError, messageOf, systemCodeOf } from './errors.ts'
import type { ReadBytes } from './fetch-image.ts'
import { isUnchangedFile, type SeenAs, seenFile } from './seen-as.ts'

/** Hashing more at once would hold up everything else for milliseconds. */
const SLICE_BYTES = 1_000_000

/**
 * The bytes of a local file, hashed while they are read; undefined, and the file not opened, when it is as it was.
 * @throws {FetchError}
 */
export async function readFile(
  path: string,
  maxBytes: number,
  before: SeenAs | undefined,
): Promise<ReadBytes | undefined> {
  try {
    if (before !== undefined) {
      const stats = await stat(path, { bigint: true })
      if (stats.isFile() && isUnchangedFile(stats, before)) return undefined
    }
    // Without O_NONBLOCK, opening a named pipe waits for a writer, if need be for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      return await readAll(file, path, maxBytes)
    } finally {
      await file.close()
    }
  } catch (thrown) {
    throw fileError(path, thrown)
  }
}

async function readAll(file: FileHandle, path: string, maxBytes: number): Promise<ReadBytes> {
  // Before it is read: what changes meanwhile is seen to be another the next time.
  const stats = await file.stat({ bigint: true })
  if (!stats.isFile()) throw new FetchError('not_a_file', `${path} is not a file.`)
  const size = Number(stats.size)
  if (size > maxBytes) throw tooLarge(path, size, maxBytes)
  const bytes = Buffer.allocUnsafe(size)
  const hash = createHash('sha256')
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(SLICE_BYTES, size - at), at)
    if (bytesRead === 0) throw shortBody(path, at, size)
    hash.update(bytes.subarray(at, at + bytesRead))
    at += bytesRead
  }
  return { bytes, sha256: hash.digest('hex'), seenAs: seenFile(stats) }
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
