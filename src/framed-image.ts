import sharp, { type Sharp } from 'sharp'
import type { BoundingBox } from './normalize.ts'

/** A picture as the API saw it, its size in pixels. `image` may be cloned and worked on. */
export interface FramedImage {
  image: Sharp
  width: number
  height: number
}

/**
 * The picture in which the boxes of an answer lie. They are pixels of the image as the API saw it: whether it had turned a
 * camera's picture upright (EXIF) shows only in the size that the answer gives, where one side is longer.
 * A picture that breaks off is taken as far as it goes.
 * @param answerSize `image_width` and `image_height` of the answer
 * @throws what sharp throws for bytes that it cannot decode
 */
export async function framed(
  bytes: Uint8Array,
  answerSize: { width: number; height: number } | undefined,
): Promise<FramedImage> {
  const image = sharp(bytes, { failOn: 'none' })
  const { width, height, orientation = 1 } = await image.metadata()
  const isLying = orientation >= 5
  const isTurned =
    isLying && width !== height && answerSize?.width === height && answerSize.height === width
  return isTurned
    ? { image: image.autoOrient(), width: height, height: width }
    : { image, width, height }
}

/** A box in whole pixels of the picture, `margin` of its own size wider on each side; undefined when nothing of it is inside. */
export function boxWithin(
  { width, height }: Pick<FramedImage, 'width' | 'height'>,
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
