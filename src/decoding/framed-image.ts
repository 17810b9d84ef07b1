import sharp, { type Sharp } from 'sharp'
import { INGEST_FLAGS } from '../flags.ts'
import type { BoundingBox } from '../normalize.ts'
import { type PictureSize, pixelsBeyond } from '../picture-size.ts'

const MAX_PIXELS = INGEST_FLAGS.maxImagePixels.default

// Of what libvips can read, only what is looked up: an older tool's row may hold anything, a program for its SVG reader too.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff'].map((type) => `VipsForeignLoad${type}`),
})
// No picture is worked on twice.
sharp.cache(false)

/** A picture as the API saw it, its size in pixels. `image` may be cloned and worked on. */
export interface FramedImage extends PictureSize {
  image: Sharp
}

/**
 * The picture in which the boxes of an answer lie. They are pixels of the image as the API saw it: whether it had turned a
 * camera's picture upright (EXIF) shows only in the size that the answer gives, where one side is longer.
 * A picture that breaks off is taken as far as it goes.
 * @param answerSize `image_width` and `image_height` of the answer
 * Only the header is read here; of one that tells of too many pixels nothing else is.
 * @throws what sharp throws for bytes that it cannot decode
 */
export async function framed(
  bytes: Uint8Array,
  answerSize: PictureSize | undefined,
): Promise<FramedImage> {
  const header = sharp(bytes, { failOn: 'none', limitInputPixels: false })
  const { width, height, orientation = 1 } = await header.metadata()
  const beyond = pixelsBeyond({ width, height }, MAX_PIXELS)
  if (beyond !== undefined) throw new Error(`it ${beyond}`)
  const image = sharp(bytes, { failOn: 'none', limitInputPixels: MAX_PIXELS })
  const isLying = orientation >= 5
  const isTurned =
    isLying && width !== height && answerSize?.width === height && answerSize.height === width
  return isTurned
    ? { image: image.autoOrient(), width: height, height: width }
    : { image, width, height }
}

/** A box in whole pixels of the picture, `margin` of its own size wider on each side; undefined when nothing of it is inside. */
export function boxWithin(
  { width, height }: PictureSize,
  box: BoundingBox,
  margin = 0,
): BoundingBox | undefined {
  const [x, y] = [(box.xmax - box.xmin) * margin, (box.ymax - box.ymin) * margin]
  const inside = {
    xmin: Math.max(0, Math.floor(box.xmin - x)),
    ymin: Math.max(0, Math.floor(box.ymin - y)),
    xmax: Math.min(width, Math.ceil(box.xmax + x)),
    ymax: Math.min(height, Math.ceil(box.ymax + y)),
  }
  return inside.xmax > inside.xmin && inside.ymax > inside.ymin ? inside : undefined
}

/** A box as sharp takes one. */
export function areaOf({ xmin, ymin, xmax, ymax }: BoundingBox): {
  left: number
  top: number
  width: number
  height: number
} {
  return { left: xmin, top: ymin, width: xmax - xmin, height: ymax - ymin }
}
