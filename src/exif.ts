/**
 * What a camera wrote about a picture (EXIF 3.0, TIFF 6.0), as far as it is needed here. Texts are trimmed; one of blanks
 * or none is absent.
 */
export interface Exif {
  /** 1 to 8: how the picture has to be turned to stand upright; 1 when nothing is said. */
  orientation: number
  /** `YYYY:MM:DD HH:MM:SS`, mostly: by the camera's clock, when the shutter opened. */
  dateTimeOriginal?: string | undefined
  /** `+01:00`: the offset of that clock, where the camera knows it. */
  offsetTimeOriginal?: string | undefined
  /** Digits after the decimal point of the seconds. */
  subSecTimeOriginal?: string | undefined
}

const ORIENTATION = 0x0112
const EXIF_IFD = 0x8769
const DATE_TIME_ORIGINAL = 0x9003
const DATE_TIME_DIGITIZED = 0x9004
const OFFSET_TIME = 0x9010
const OFFSET_TIME_ORIGINAL = 0x9011
const SUB_SEC_TIME_ORIGINAL = 0x9291

/** No camera writes so many entries; bytes that nobody vouches for may claim any number. */
const MOST_ENTRIES = 512
/** No text that is read here is longer. */
const LONGEST_TEXT = 64

/**
 * Reads the EXIF of a JPEG, PNG, WebP or TIFF; of other bytes, and of such as are damaged, there is none. It reads a few
 * hundred bytes at most, whatever they claim, and throws nothing.
 */
export function readExif(bytes: Buffer, mime: string): Exif {
  const block = blockOf(bytes, mime)
  const order = block?.toString('latin1', 0, 4)
  if (block === undefined || (order !== 'II*\0' && order !== 'MM\0*')) return { orientation: 1 }
  const tiff = new Tiff(block, order === 'II*\0')
  const first = tiff.entries(tiff.uint32(4))
  const photo = tiff.entries(tiff.number(first.get(EXIF_IFD)))
  const orientation = tiff.number(first.get(ORIENTATION)) ?? 1
  return {
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
    dateTimeOriginal:
      tiff.text(photo.get(DATE_TIME_ORIGINAL)) ?? tiff.text(photo.get(DATE_TIME_DIGITIZED)),
    offsetTimeOriginal:
      tiff.text(photo.get(OFFSET_TIME_ORIGINAL)) ?? tiff.text(photo.get(OFFSET_TIME)),
    subSecTimeOriginal: tiff.text(photo.get(SUB_SEC_TIME_ORIGINAL)),
  }
}

/** An entry of a directory: its type, how many values, and where they or their offset stand. */
interface Entry {
  type: number
  count: number
  at: number
}

const ASCII = 2
const SHORT = 3
const LONG = 4

/** Numbers and texts of a TIFF block; undefined for what lies outside of it. */
class Tiff {
  readonly #bytes: Buffer
  readonly #isLittle: boolean

  constructor(bytes: Buffer, isLittle: boolean) {
    this.#bytes = bytes
    this.#isLittle = isLittle
  }

  uint16(at: number): number | undefined {
    if (at + 2 > this.#bytes.length) return undefined
    return this.#isLittle ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at)
  }

  uint32(at: number): number | undefined {
    if (at + 4 > this.#bytes.length) return undefined
    return this.#isLittle ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at)
  }

  entries(start: number | undefined): Map<number, Entry> {
    const found = new Map<number, Entry>()
    const count = start === undefined ? 0 : (this.uint16(start) ?? 0)
    for (let n = 0; start !== undefined && n < Math.min(count, MOST_ENTRIES); n += 1) {
      const at = start + 2 + n * 12
      const [tag, type, values] = [this.uint16(at), this.uint16(at + 2), this.uint32(at + 4)]
      if (tag === undefined || type === undefined || values === undefined) break
      found.set(tag, { type, count: values, at: at + 8 })
    }
    return found
  }

  number(entry: Entry | undefined): number | undefined {
    if (entry?.type === SHORT) return this.uint16(entry.at)
    return entry?.type === LONG ? this.uint32(entry.at) : undefined
  }

  text(entry: Entry | undefined): string | undefined {
    if (entry?.type !== ASCII) return undefined
    const at = entry.count <= 4 ? entry.at : this.uint32(entry.at)
    if (at === undefined) return undefined
    const raw = this.#bytes.toString('latin1', at, at + Math.min(entry.count, LONGEST_TEXT))
    const text = raw.replace(/\0.*$/s, '').trim()
    return text === '' ? undefined : text
  }
}

/** The TIFF block that holds the EXIF. */
function blockOf(bytes: Buffer, mime: string): Buffer | undefined {
  if (mime === 'image/tiff') return bytes
  if (mime === 'image/jpeg') return blockOfJpeg(bytes)
  if (mime === 'image/png') return chunkOf(bytes, 8, 'eXIf', (at) => bytes.readUInt32BE(at), 4)
  if (mime !== 'image/webp') return undefined
  const chunk = chunkOf(bytes, 12, 'EXIF', (at) => bytes.readUInt32LE(at + 4), 0)
  // Some writers put JPEG's own mark in front.
  return chunk?.toString('latin1', 0, 6) === 'Exif\0\0' ? chunk.subarray(6) : chunk
}

/** The segment APP1 with its mark, before the picture itself begins. */
function blockOfJpeg(bytes: Buffer): Buffer | undefined {
  for (let at = 2; at + 10 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]
    if (marker === 0xff) {
      at += 1
      continue
    }
    if (marker === 0xda || marker === 0xd9) return undefined
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    if (marker === 0xe1 && bytes.toString('latin1', at + 4, at + 10) === 'Exif\0\0') {
      return bytes.subarray(at + 10, end)
    }
    at = end
  }
  return undefined
}

/** A chunk of PNG (length, name, data, check) or WebP (name, length, data, to an even number of bytes). */
function chunkOf(
  bytes: Buffer,
  start: number,
  name: string,
  lengthAt: (at: number) => number,
  check: number,
): Buffer | undefined {
  const nameAt = check === 0 ? 0 : 4
  for (let at = start, chunks = 0; at + 8 <= bytes.length && chunks < MOST_ENTRIES; chunks += 1) {
    const length = lengthAt(at)
    if (bytes.toString('latin1', at + nameAt, at + nameAt + 4) === name) {
      return bytes.subarray(at + 8, at + 8 + length)
    }
    at += 8 + length + check + (check === 0 ? length % 2 : 0)
  }
  return undefined
}
