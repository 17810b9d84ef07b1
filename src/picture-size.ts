import { isStandalone, nextMarker } from './whole-image.ts'

/** Of a picture, in pixels. */
export interface PictureSize {
  width: number
  height: number
}

/** Where the bytes of a type say how large its picture is. */
const SIZES = new Map<string, (bytes: Buffer) => PictureSize | undefined>([
  ['image/jpeg', jpegSize],
  ['image/png', pngSize],
  ['image/webp', webpSize],
  ['image/gif', gifSize],
  ['image/bmp', bmpSize],
  ['image/tiff', tiffSize],
])

/**
 * The size of a picture as its header tells it; nothing is decoded. Takes any bytes, and reads them as the decoders do:
 * what they skip is skipped, so that no smaller size can be told here than they will find. Of several pictures in a
 * file it is the first, which is the one that they decode.
 * @param mime the type that the bytes begin as
 * @returns undefined when the header does not tell
 */
export function pictureSize(bytes: Buffer, mime: string): PictureSize | undefined {
  return SIZES.get(mime)?.(bytes)
}

/** Has a picture more pixels than it may have? Says so, with its size; undefined when not. */
export function pixelsBeyond(
  { width, height }: PictureSize,
  maxPixels: number,
): string | undefined {
  if (width * height <= maxPixels) return undefined
  return `has ${width} x ${height} pixels; the limit is ${maxPixels} in all`
}

const START_OF_SCAN = 0xda
const END_OF_IMAGE = 0xd9

/** The first frame header before the scan (ITU-T T.81, B.2.2): its precision is one byte, then height and width. */
function jpegSize(bytes: Buffer): PictureSize | undefined {
  let at = 2
  for (;;) {
    at = nextMarker(bytes, at)
    const marker = bytes[at]
    if (marker === undefined || marker === START_OF_SCAN || marker === END_OF_IMAGE)
      return undefined
    at += 1
    if (isStandalone(marker)) continue
    if (isFrame(marker)) {
      if (at + 7 > bytes.length) return undefined
      return { height: bytes.readUInt16BE(at + 3), width: bytes.readUInt16BE(at + 5) }
    }
    if (at + 2 > bytes.length) return undefined
    const length = bytes.readUInt16BE(at)
    if (length < 2) return undefined
    at += length
  }
}

/** SOF0 to SOF15, but for the tables and the extension among them (DHT, JPG, DAC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
}

/** IHDR has to be the first chunk (W3C PNG, 5.6). */
function pngSize(bytes: Buffer): PictureSize | undefined {
  if (bytes.length < 24 || textAt(bytes, 12, 4) !== 'IHDR') return undefined
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
}

/** The canvas, or the only picture (Google, "WebP Container Specification"; RFC 6386, 9.1; "WebP Lossless", 3). */
function webpSize(bytes: Buffer): PictureSize | undefined {
  if (bytes.length < 30) return undefined
  switch (textAt(bytes, 12, 4)) {
    case 'VP8X':
      return { width: 1 + bytes.readUIntLE(24, 3), height: 1 + bytes.readUIntLE(27, 3) }
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21)
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) }
    }
    default:
      return undefined
  }
}

const GIF_HEADER = 13
const GIF_EXTENSION = 0x21
const GIF_IMAGE = 0x2c

/** The logical screen, made larger by what reaches beyond it, as decoders do (GIF89a, 18 and 20). */
function gifSize(bytes: Buffer): PictureSize | undefined {
  if (bytes.length < GIF_HEADER) return undefined
  const size = { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
  let at = GIF_HEADER + colorTableLength(bytes[10])
  for (;;) {
    if (bytes[at] === GIF_IMAGE && at + 10 <= bytes.length) {
      size.width = Math.max(size.width, bytes.readUInt16LE(at + 1) + bytes.readUInt16LE(at + 5))
      size.height = Math.max(size.height, bytes.readUInt16LE(at + 3) + bytes.readUInt16LE(at + 7))
      at += 11 + colorTableLength(bytes[at + 9])
    } else if (bytes[at] === GIF_EXTENSION) at += 2
    else return size
    // Blocks of data, each behind its length; one without any is the last.
    for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) at += 1 + length
    at += 1
  }
}

function colorTableLength(flags = 0): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0
}

const OLDEST_BMP_HEADER = 12

/** A height below zero: the rows are stored from the top (Microsoft, BITMAPINFOHEADER; BITMAPCOREHEADER). */
function bmpSize(bytes: Buffer): PictureSize | undefined {
  if (bytes.length < 26) return undefined
  if (bytes.readUInt32LE(14) === OLDEST_BMP_HEADER) {
    return { width: bytes.readUInt16LE(18), height: bytes.readUInt16LE(20) }
  }
  return { width: Math.abs(bytes.readInt32LE(18)), height: Math.abs(bytes.readInt32LE(22)) }
}

const IMAGE_WIDTH = 256
const IMAGE_LENGTH = 257
/** Bytes of a whole number, by its type; the signed ones hold no other values here. */
const TIFF_BYTES = new Map([
  ...[1, 6].map((type) => [type, 1] as const),
  ...[3, 8].map((type) => [type, 2] as const),
  ...[4, 9].map((type) => [type, 4] as const),
  ...[16, 17].map((type) => [type, 8] as const),
])

/** The first directory (TIFF 6.0, section 2; of BigTIFF, whose version is 43, every number there is wider). */
function tiffSize(bytes: Buffer): PictureSize | undefined {
  const isLittle = textAt(bytes, 0, 2) === 'II'
  /** A whole number; 0 of no bytes, and behind the end. */
  const read = (at: number, length: number) => {
    if (length === 0 || at + length > bytes.length) return 0
    if (length <= 6) return isLittle ? bytes.readUIntLE(at, length) : bytes.readUIntBE(at, length)
    return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  }
  const isBig = read(2, 2) === 43
  const [offset, countBytes, entryBytes] = isBig ? [read(8, 8), 8, 20] : [read(4, 4), 2, 12]
  const first = offset + countBytes
  const end = Math.min(first + read(offset, countBytes) * entryBytes, bytes.length)
  const size = { width: 0, height: 0 }
  for (let at = first; at + entryBytes <= end; at += entryBytes) {
    const tag = read(at, 2)
    if (tag !== IMAGE_WIDTH && tag !== IMAGE_LENGTH) continue
    const value = read(at + (isBig ? 12 : 8), TIFF_BYTES.get(read(at + 2, 2)) ?? 0)
    // Which of two a decoder takes is its own affair.
    if (tag === IMAGE_WIDTH) size.width = Math.max(size.width, value)
    else size.height = Math.max(size.height, value)
  }
  return size.width > 0 && size.height > 0 ? size : undefined
}

function textAt(bytes: Buffer, at: number, length: number): string {
  return bytes.toString('latin1', at, at + length)
}
