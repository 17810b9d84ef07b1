import { fileTypeFromBuffer } from 'file-type'
import { download, type FetchOptions } from './download.ts'
import { FetchError } from './errors.ts'
import { pictureSize, pixelsBeyond } from './picture-size.ts'
import { readFile } from './read-file.ts'
import type { SeenAs } from './seen-as.ts'
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
  /** What tells that the source is still as it was; undefined where nothing does. */
  seenAs?: SeenAs | undefined
  /** Of a local file: what it was when it was read. */
  file?: SeenAs | undefined
  /** When the source last changed, by its file system or server, in milliseconds since 1970. */
  modifiedAtMs?: number | undefined
}

/** What reading a source gives. */
export type ReadBytes = Pick<FetchedImage, 'bytes' | 'sha256' | 'seenAs' | 'file' | 'modifiedAtMs'>

/** `image/apng` is a PNG with more pictures than one. */
const IMAGE_TYPES = new Map([
  ['image/jpeg', 'image/jpeg'],
  ['image/png', 'image/png'],
  ['image/apng', 'image/png'],
  ['image/webp', 'image/webp'],
  ['image/gif', 'image/gif'],
  ['image/bmp', 'image/bmp'],
  ['image/tiff', 'image/tiff'],
  ['image/avif', 'image/avif'],
  ['image/heic', 'image/heic'],
  ['image/heif', 'image/heic'],
  ['image/heic-sequence', 'image/heic'],
])

/**
 * One try at fetching a line of the images file: a local path or an http(s) URL.
 * @param text the line as written, secrets included; messages name it without them
 * @param before what is known of the source: when it is as it was it is not read, and nothing is given
 * @throws {FetchError} `isTransient` when a server or the network failed and another try may go well
 */
export function fetchImage(
  text: string,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<FetchedImage>
export function fetchImage(
  text: string,
  options: FetchOptions,
  signal: AbortSignal,
  before: SeenAs | undefined,
): Promise<FetchedImage | undefined>
export async function fetchImage(
  text: string,
  options: FetchOptions,
  signal: AbortSignal,
  before?: SeenAs,
): Promise<FetchedImage | undefined> {
  const source = redactSource(text)
  const read =
    schemeOf(text) === undefined
      ? await readFile(text, options, before)
      : await download(text, options, signal, before)
  if (read === undefined) return undefined
  const { bytes } = read
  if (bytes.length === 0) throw new FetchError('empty_image', `${source} is empty.`)
  const type = await typeOf(bytes, source)
  // A header that does not tell costs nothing here: the image may be the only evidence of something.
  const size = pictureSize(bytes, type.mime)
  const beyond = size && pixelsBeyond(size, options.maxPixels)
  if (beyond !== undefined) throw new FetchError('too_many_pixels', `${source} ${beyond}.`)
  if (!isWholeImage(bytes, type.mime)) {
    throw new FetchError(
      'truncated_image',
      `${source} is not a whole image: it was cut short or damaged.`,
    )
  }
  return { source, ...read, size: bytes.length, ...type }
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
  if (mime === 'image/heic' && !(await canReadHeic())) {
    const message = `${source} is HEIC, which the decoder of this installation cannot read.`
    throw new FetchError('heic_unsupported', message)
  }
  return { mime, extension: mime === 'image/png' ? 'png' : type.ext }
}

/** sharp as it is installed has no decoder for HEIC, whose patents do not allow it; built with a libvips of one's own it may. */
async function canReadHeic(): Promise<boolean> {
  const { default: sharp } = await import('sharp')
  const suffixes: readonly string[] = sharp.format.heif.input.fileSuffix ?? []
  return suffixes.includes('.heic')
}

function describe(mime: string | undefined, bytes: Buffer): string {
  if (mime !== undefined) return `its bytes are ${mime}`
  const start = bytes.toString('utf8', 0, 256).trimStart().toLowerCase()
  if (start.startsWith('<!doctype html') || start.startsWith('<html'))
    return 'its bytes are an HTML page'
  if (start.startsWith('<svg')) return 'its bytes are an SVG drawing'
  return 'its bytes are of no known image type'
}
