import { closeSync, constants, fstatSync, open, read, stat } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { shortBody, tooLarge } from './download.ts'
import { FetchError, messageOf, systemCodeOf } from './errors.ts'
import type { ReadBytes } from './fetch-image.ts'
import { fileAs, isUnchangedFile, type SeenAs, seenFile } from './seen-as.ts'
import { digestOf } from './sha256.ts'
import { redactSource } from './source.ts'

/** What is asked of an open file comes without delay; a round through Node's threads costs 30 times as much. */
const openFile = promisify(open)
const statOf = promisify(stat)
const readFrom = promisify(read)

/** A folder as it was named, and as it is called with every symbolic link followed; both from the root of the disk. */
export interface Root {
  given: string
  real: string
}

/** What is read of the disk. */
export interface FileOptions {
  maxBytes: number
  /** False refuses every path. */
  local?: boolean | undefined
  /** Paths lead nowhere else. */
  root?: Root | undefined
}

/**
 * The bytes of a local file; undefined, and the file not opened, when it is as it was.
 * @throws {FetchError}
 */
export async function readFile(
  path: string,
  { maxBytes, local = true, root }: FileOptions,
  before: SeenAs | undefined,
): Promise<ReadBytes | undefined> {
  // A link in quotes or behind a word is taken for a path, password and all.
  const shown = redactSource(path)
  if (!local) {
    throw new FetchError('path_refused', `${shown} is not read: --no-local refuses every path.`)
  }
  try {
    const real = root === undefined ? path : await pathWithin(root, path)
    if (before !== undefined) {
      const stats = await statOf(real, { bigint: true })
      if (stats.isFile() && isUnchangedFile(stats, before)) return undefined
    }
    // Without O_NONBLOCK, opening a named pipe waits for a writer, if need be for ever.
    const noLink = root === undefined ? 0 : constants.O_NOFOLLOW
    const file = await openFile(real, constants.O_RDONLY | constants.O_NONBLOCK | noLink)
    try {
      return await readAll(file, shown, maxBytes)
    } finally {
      closeSync(file)
    }
  } catch (thrown) {
    throw fileError(shown, thrown)
  }
}

/** The path with every symbolic link followed. Nothing outside the folder is even looked for. */
async function pathWithin(root: Root, path: string): Promise<string> {
  const isInside = (at: string, folder: string) => `${at}/`.startsWith(folder.replace(/\/*$/, '/'))
  const from = resolve(path)
  if (isInside(from, root.given) || isInside(from, root.real)) {
    const real = await realpath(path)
    if (isInside(real, root.real)) return real
  }
  throw new FetchError(
    'path_refused',
    `${redactSource(path)} is not read: it leads out of ${root.given}.`,
  )
}

async function readAll(file: number, shown: string, maxBytes: number): Promise<ReadBytes> {
  // Before it is read: what changes meanwhile is seen to be another the next time.
  const stats = fstatSync(file, { bigint: true })
  if (!stats.isFile()) throw new FetchError('not_a_file', `${shown} is not a file.`)
  const size = Number(stats.size)
  if (size > maxBytes) throw tooLarge(shown, size, maxBytes)
  const bytes = Buffer.allocUnsafeSlow(size)
  for (let at = 0; at < size; ) {
    const { bytesRead } = await readFrom(file, bytes, at, size - at, at)
    if (bytesRead === 0) throw shortBody(shown, at, size)
    at += bytesRead
  }
  return {
    ...{ bytes, sha256: await digestOf(bytes) },
    ...{ seenAs: seenFile(stats), file: fileAs(stats), modifiedAtMs: Number(stats.mtimeMs) },
  }
}

function fileError(shown: string, thrown: unknown): FetchError {
  if (thrown instanceof FetchError) return thrown
  const code = systemCodeOf(thrown)
  const cause = { cause: thrown }
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || shown.includes('\0')) {
    return new FetchError('file_not_found', `${shown} does not exist.`, cause)
  }
  if (code === 'EISDIR') return new FetchError('not_a_file', `${shown} is a folder.`, cause)
  return new FetchError('file_unreadable', `${shown} cannot be read: ${messageOf(thrown)}.`, cause)
}
