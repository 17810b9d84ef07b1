import { isStandalone, nextMarker } from './whole-image.ts'

/** Tags of EXIF that tell times (CIPA DC-008, 4.6.5), each a short text. */
export const EXIF_TIME = {
  original: 0x9003,
  digitized: 0x9004,
  offset: 0x9010,
  offsetOriginal: 0x9011,
  offsetDigitized: 0x9012,
  subSecOriginal: 0x9291,
  subSecDigitized: 0x9292,
} as const

const TIME_TAGS = new Set<number>(Object.values(EXIF_TIME))
const ORIENTATION = 0x0112
const EXIF_POINTER = 0x8769
/** What stands before EXIF in JPEG and, with some programs, elsewhere. */
const PREFIX = Buffer.from('Exif\0\0', 'latin1')
/** How it begins, by the order of the bytes in a number: the lowest first, or the highest. */
const LITTLE = 'II*\0'
const BYTE_ORDERS = [LITTLE, 'MM\0*']
/** Longer than any time. */
const LONGEST = 64

/** Where the files of a type hold EXIF, from its byte order on. */
const PLACES = new Map<string, (bytes: Buffer) => Buffer | undefined>([
  ['image/jpeg', inJpeg],
  ['image/png', inPng],
  ['image/webp', inWebp],
  ['image/tiff', (bytes) => bytes],
  ['image/heic', somewhere],
  ['image/heif', somewhere],
  ['image/avif', somewhere],
])

/** What a camera wrote about a picture, as far as it is needed here. */
export interface Exif {
  /** 1 to 8: how the picture has to be turned to stand upright; 1 where nothing is said. */
  orientation: number
  /** The texts of the tags that tell times, by tag, as they are. */
  texts: ReadonlyMap<number, string>
}

/**
 * Reads a picture's EXIF. Takes any bytes: it follows lengths and two directories only, and what leads out of the bytes is
 * not there.
 * @param mime the type that the bytes begin as
 */
export function readExif(bytes: Buffer, mime: string): Exif {
  const exif = PLACES.get(mime)?.(bytes)
  return exif === undefined ? { orientation: 1, texts: new Map() } : tagsIn(exif)
}

/** Two directories (TIFF 6.0, section 2): the first, and the one that it names, which has the times. */
function tagsIn(exif: Buffer): Exif {
  const order = exif.toString('latin1', 0, 4)
  const isLittle = order === LITTLE
  const texts = new Map<number, string>()
  let orientation = 0
  if (!BYTE_ORDERS.includes(order)) return { orientation: 1, texts }
  /** A whole number of 2 or 4 bytes; 0 behind the end. */
  const read = (at: number, length: 2 | 4) => {
    if (at + length > exif.length) return 0
    return isLittle ? exif.readUIntLE(at, length) : exif.readUIntBE(at, length)
  }
  let pointer = 0
  const readDirectory = (offset: number) => {
    const end = Math.min(offset + 2 + read(offset, 2) * 12, exif.length)
    for (let at = offset + 2; at + 12 <= end; at += 12) {
      const tag = read(at, 2)
      if (tag === EXIF_POINTER) pointer ||= read(at + 8, 4)
      if (tag === ORIENTATION) orientation ||= read(at + 8, 2)
      if (!TIME_TAGS.has(tag) || texts.has(tag)) continue
      const length = read(at + 4, 4)
      const from = length <= 4 ? at + 8 : read(at + 8, 4)
      if (length > LONGEST || from + length > exif.length) continue
      texts.set(
        tag,
        exif
          .toString('latin1', from, from + length)
          .replace(/\0.*$/s, '')
          .trim(),
      )
    }
  }
  readDirectory(read(4, 4))
  if (pointer !== 0) readDirectory(pointer)
  return { orientation: orientation >= 1 && orientation <= 8 ? orientation : 1, texts }
}

const START_OF_SCAN = 0xda
const APP1 = 0xe1

/** The first application segment that says it is EXIF, before the scan. */
function inJpeg(bytes: Buffer): Buffer | undefined {
  let at = 2
  for (;;) {
    at = nextMarker(bytes, at)
    const marker = bytes[at]
    if (marker === undefined || marker === START_OF_SCAN) return undefined
    at += 1
    if (isStandalone(marker)) continue
    if (at + 2 > bytes.length) return undefined
    const length = bytes.readUInt16BE(at)
    if (length < 2) return undefined
    const segment = bytes.subarray(at + 2, at + length)
    if (marker === APP1 && startsWithPrefix(segment)) return segment.subarray(PREFIX.length)
    at += length
  }
}

/** The chunk `eXIf`, which may stand anywhere (W3C PNG, 11.3.4.5). */
function inPng(bytes: Buffer): Buffer | undefined {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const chunk = bytes.subarray(at + 8, at + 8 + length)
    if (bytes.toString('latin1', at + 4, at + 8) === 'eXIf') return withoutPrefix(chunk)
    at += 12 + length
  }
  return undefined
}

/** The chunk `EXIF`; chunks begin at even places (Google, "WebP Container Specification"). */
function inWebp(bytes: Buffer): Buffer | undefined {
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4)
    const chunk = bytes.subarray(at + 8, at + 8 + length)
    if (bytes.toString('latin1', at, at + 4) === 'EXIF') return withoutPrefix(chunk)
    at += 8 + length + (length % 2)
  }
  return undefined
}

/** An item as in JPEG, at a place that tables tell: it is looked for instead (ISO 23008-12, annex A). */
function somewhere(bytes: Buffer): Buffer | undefined {
  const places = BYTE_ORDERS.map((order) => bytes.indexOf(`Exif\0\0${order}`, 0, 'latin1'))
  const at = places.find((place) => place !== -1)
  return at === undefined ? undefined : bytes.subarray(at + PREFIX.length)
}

function startsWithPrefix(bytes: Buffer): boolean {
  return bytes.subarray(0, PREFIX.length).equals(PREFIX)
}

function withoutPrefix(bytes: Buffer): Buffer {
  return startsWithPrefix(bytes) ? bytes.subarray(PREFIX.length) : bytes
}
