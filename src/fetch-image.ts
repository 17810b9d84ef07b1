import { createHash } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import { fileTypeFromBuffer } from 'file-type'
import { download, type FetchOptions, shortBody, tooLarge } from './download.ts'
import { FetchError, messageOf, systemCodeOf } from './errors.ts'
import { BodyTooLargeError, readBody } from './http.ts'
import { redactSource, schemeOf } from './source.ts'
import { isWholeImage } from './whole-image.ts'

/** The bytes of one image, whole and seen to be an image. */
export interface FetchedImage {
  /** Where it came from, without credentials and signatures. */
  source: string
  bytes: Buffer
  /** Found from the bytes, not from the name: `image/jpeg`, … */
  mime: string
  /** File name ending for the type, without a dot: `jpg`, … */
  extension: string
  /** In bytes. */
  size: number
  /** Of the bytes, lower-case hex. */
  sha256: string
}

/** `image/apng` is a PNG with more pictures than one. */
const IMAGE_TYPES = new Map([
  ['image/jpeg', 'image/jpeg'],
  ['image/png', 'image/png'],
  ['image/apng', 'image/png'],
  ['image/webp', 'image/webp'],
  ['image/gif', 'image/gif'],
  ['image/bmp', 'image/bmp'],
  ['image/tiff', 'image/tiff'],
])

/**
 * One try at fetching a line of the images file: a local path or an http(s) URL.
 * @param text the line as written, secrets included; messages name it without them
 * @throws {FetchError} `isTransient` when a server or the network failed and another try may go well
 */
export async function fetchImage(
  text: string,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<FetchedImage> {
  const source = redactSource(text)
  const scheme = schemeOf(text)
  const bytes =
    scheme === undefined
      ? await readFile(text, options.maxBytes)
      : await download(text, options, signal)
  if (bytes.length === 0) throw new FetchError('empty_image', `${source} is empty.`)
  const type = await typeOf(bytes, source)
  if (!isWholeImage(bytes, type.mime)) {
    throw new FetchError(
      'truncated_image',
      `${source} is not a whole image: it was cut short or damaged.`,
    )
  }
  return { source, bytes, size: bytes.length, sha256: sha256Of(bytes), ...type }
}

/** SHA-256 of some bytes in lower-case hex. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function typeOf(bytes: Buffer, source: string): Promise<{ mime: string; extension: string }> {
  const type = await fileTypeFromBuffer(bytes)
  const mime = IMAGE_TYPES.get(type?.mime ?? '')
  if (type === undefined || mime === undefined) {
    throw new FetchError(
      'not_an_image',
      `${source} is not an image: ${describe(type?.mime, bytes)}.`,
    )
  }
  return { mime, extension: mime === 'image/png' ? 'png' : type.ext }
}

function describe(mime: string | undefined, bytes: Buffer): string {
  if (mime !== undefined) return `its bytes are ${mime}`
  const start = bytes.toString('utf8', 0, 256).trimStart().toLowerCase()
  if (start.startsWith('<!doctype html') || start.startsWith('<html'))
    return 'its bytes are an HTML page'
  if (start.startsWith('<svg')) return 'its bytes are an SVG drawing'
  return 'its bytes are of no known image type'
}

async function readFile(path: string, maxBytes: number): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer, if need be for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const info = await file.stat()
      if (!info.isFile()) throw new FetchError('not_a_file', `${path} is not a file.`)
      if (info.size > maxBytes) throw tooLarge(path, info.size, maxBytes)
      const bytes = await readBody(file.createReadStream({ autoClose: false }), maxBytes)
      if (bytes.length < info.size) throw shortBody(path, bytes.length, info.size)
      return bytes
    } finally {
      await file.close()
    }
  } catch (thrown) {
    throw fileError(path, thrown, maxBytes)
  }
}

function fileError(path: string, thrown: unknown, maxBytes: number): FetchError {
  if (thrown instanceof FetchError) return thrown
  if (thrown instanceof BodyTooLargeError) return tooLarge(path, undefined, maxBytes)
  const code = systemCodeOf(thrown)
  const cause = { cause: thrown }
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || path.includes('\0')) {
    return new FetchError('file_not_found', `${path} does not exist.`, cause)
  }
  if (code === 'EISDIR') return new FetchError('not_a_file', `${path} is a folder.`, cause)
  return new FetchError('file_unreadable', `${path} cannot be read: ${messageOf(thrown)}.`, cause)
}
