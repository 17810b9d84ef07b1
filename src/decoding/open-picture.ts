import sharp, { type Sharp } from 'sharp'
import { INGEST_FLAGS } from '../flags.ts'
import { pictureSize, pixelsBeyond } from '../picture-size.ts'
import { readBmp } from './bmp.ts'

const MAX_PIXELS = INGEST_FLAGS.maxImagePixels.default

// Of what libvips can read, only what is looked up: an older tool's row may hold anything, a program for its SVG reader too.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map(
    (type) => `VipsForeignLoad${type}`,
  ),
})
// No picture is worked on twice.
sharp.cache(false)

/** A picture whose header was read. Width and height as its pixels are stored, before it is turned upright. */
export interface OpenPicture {
  image: Sharp
  width: number
  height: number
  /** EXIF, 1 to 8. */
  orientation: number
}

/**
 * Opens a picture; one that breaks off is taken as far as it goes. Only the header is read here; of one that tells of too
 * many pixels nothing else is.
 * @throws what sharp throws for bytes that it cannot decode
 */
export async function openPicture(bytes: Uint8Array): Promise<OpenPicture> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.toString('latin1', 0, 2) === 'BM') return openBmp(buffer)
  const header = sharp(buffer, { failOn: 'none', limitInputPixels: false })
  const { width, height, orientation = 1 } = await header.metadata()
  requireRoom({ width, height })
  const image = sharp(buffer, { failOn: 'none', limitInputPixels: MAX_PIXELS })
  return { image, width, height, orientation }
}

function openBmp(buffer: Buffer): OpenPicture {
  const size = pictureSize(buffer, 'image/bmp')
  if (size !== undefined) requireRoom(size)
  const { width, height, rgb } = readBmp(buffer)
  return {
    image: sharp(rgb, { raw: { width, height, channels: 3 } }),
    width,
    height,
    orientation: 1,
  }
}

function requireRoom(size: { width: number; height: number }): void {
  const beyond = pixelsBeyond(size, MAX_PIXELS)
  if (beyond !== undefined) throw new Error(`it ${beyond}`)
}
