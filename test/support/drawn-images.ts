import { hash, randomBytes } from 'node:crypto'
import sharp from 'sharp'
import type { Question } from '../../src/lookup.ts'
import type { Wanted, WantedImage } from '../../src/wanted.ts'

/** A picture of 8 by 6 pixels in a format that sharp writes; its noise makes each another image. */
export function drawPicture(format: 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff'): Promise<Buffer> {
  const size = { width: 8, height: 6, channels: 3 as const }
  return sharp(randomBytes(8 * 6 * 3), { raw: size })
    .toFormat(format)
    .toBuffer()
}

/** A BMP of one pixel (BITMAPINFOHEADER, 24 bits), which sharp does not write. */
export function drawBmp(): Buffer {
  const bmp = Buffer.alloc(58)
  bmp.write('BM')
  bmp.writeUInt32LE(bmp.length, 2)
  bmp.writeUInt32LE(54, 10)
  bmp.writeUInt32LE(40, 14)
  bmp.writeInt32LE(1, 18)
  bmp.writeInt32LE(1, 22)
  bmp.writeUInt16LE(1, 26)
  bmp.writeUInt16LE(24, 28)
  randomBytes(3).copy(bmp, 54)
  return bmp
}

/** A JPEG from its beginning to its end: a comment of noise and a scan of nothing. */
function emptyJpeg(): Buffer {
  const [start, end] = [Buffer.from('ffd8fffe0042', 'hex'), Buffer.from('ffda0002ffd9', 'hex')]
  return Buffer.concat([start, randomBytes(64), end])
}

/** What is wanted when nobody says anything, and what is said here. */
export function wanting(question: Partial<Question> = {}, more: Partial<Wanted> = {}): Wanted {
  return { question: { regions: [], mmc: false, ...question }, threshold: 0, ...more }
}

/** An image as fetching gives it, another each time, for stages that do not look into its bytes. */
export function fetchedImage(changes: Partial<WantedImage> = {}): WantedImage {
  const bytes = changes.bytes ?? emptyJpeg()
  return {
    source: 'lane-1/picture.jpg',
    mime: 'image/jpeg',
    extension: 'jpg',
    bytes,
    size: bytes.length,
    sha256: hash('sha256', bytes),
    wanted: wanting(),
    ...changes,
  }
}
