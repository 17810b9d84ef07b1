import type { Sharp } from 'sharp'
import type { BoundingBox } from '../normalize.ts'
import type { PictureSize } from '../picture-size.ts'
import type { AnswerFrame } from '../stored-values.ts'
import { openPicture } from './open-picture.ts'

/** A picture as the API saw it, its size in pixels. `image` may be cloned and worked on. */
export interface FramedImage extends PictureSize {
  image: Sharp
}

/**
 * The picture in which the boxes of an answer lie. They are pixels of the image as the API saw it: whether it had turned a
 * camera's picture upright (EXIF) shows only in the size that the answer gives, where one side is longer.
 * @throws what sharp throws for bytes that it cannot decode
 */
export async function framed(
  bytes: Uint8Array,
  answerFrame: AnswerFrame | undefined,
): Promise<FramedImage> {
  const { image, width, height, orientation } = await openPicture(bytes)
  const isLying = orientation >= 5
  const isUpright = answerFrame === 'upright'
  const isTurned =
    isUpright ||
    (isLying && width !== height && answerFrame?.width === height && answerFrame.height === width)
  if (!isTurned) return { image, width, height }
  const turned = image.autoOrient()
  return isLying
    ? { image: turned, width: height, height: width }
    : { image: turned, width, height }
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
