/** Where the bytes of a type say where its picture ends. GIF and TIFF are not judged. */
const CHECKS = new Map<string, (bytes: Buffer) => boolean>([
  ['image/jpeg', isWholeJpeg],
  ['image/png', isWholePng],
  ['image/webp', isWholeWebp],
  ['image/bmp', isWholeBmp],
])

/**
 * Is the end of the picture there? Follows lengths only, decodes nothing, and takes any bytes; what comes behind the end
 * (cameras append data of their own) does not matter.
 * @param mime the type that the bytes begin as; of one that is not judged everything is whole
 */
export function isWholeImage(bytes: Buffer, mime: string): boolean {
  return CHECKS.get(mime)?.(bytes) ?? true
}

const END_OF_IMAGE = 0xd9
const START_OF_SCAN = 0xda

/** Segments from marker to marker up to the end of the image, which comes behind a scan (ITU-T T.81, annex B). */
function isWholeJpeg(bytes: Buffer): boolean {
  let hasScan = false
  let at = 2
  for (;;) {
    at = nextMarker(bytes, at)
    const marker = bytes[at]
    if (marker === undefined) return false
    if (marker === END_OF_IMAGE) return hasScan
    at += 1
    if (isStandalone(marker)) continue
    if (at + 2 > bytes.length) return false
    // It counts itself. What is skipped by it may hold a thumbnail with an end of its own.
    const length = bytes.readUInt16BE(at)
    if (length < 2) return false
    hasScan ||= marker === START_OF_SCAN
    at += length
  }
}

/** JPEG: TEM, the restarts inside a scan, and a start of image have no length behind them. */
export function isStandalone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
}

/**
 * JPEG: the place of the next marker's second byte; the length when there is none. A scan's data lies in between, where FF 00
 * stands for the byte FF; libjpeg skips stray bytes between segments in the same way.
 */
export function nextMarker(bytes: Buffer, from: number): number {
  let at = from
  for (;;) {
    if (bytes[at] !== 0xff) at = bytes.indexOf(0xff, at)
    if (at === -1) return bytes.length
    at += 1
    const next = bytes[at]
    if (next === 0) at += 1
    else if (next !== 0xff) return at
  }
}

const PNG_SIGNATURE = 8
/** Length, type and checksum (W3C PNG, 5.3). */
const AROUND_CHUNK = 12

function isWholePng(bytes: Buffer): boolean {
  let at = PNG_SIGNATURE
  while (at + AROUND_CHUNK <= bytes.length) {
    const end = at + AROUND_CHUNK + bytes.readUInt32BE(at)
    if (bytes.toString('latin1', at + 4, at + 8) === 'IEND') return end <= bytes.length
    at = end
  }
  return false
}

/** RIFF: the size behind the first four bytes counts what follows it. */
function isWholeWebp(bytes: Buffer): boolean {
  return bytes.length >= 8 && bytes.readUInt32LE(4) + 8 <= bytes.length
}

/** The header's size is of the whole file; some programs leave it 0. */
function isWholeBmp(bytes: Buffer): boolean {
  return bytes.length >= 6 && bytes.readUInt32LE(2) <= bytes.length
}
