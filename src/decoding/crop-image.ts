import { ImageError } from '../errors.ts'
import type { BoundingBox } from '../normalize.ts'
import type { PictureSize } from '../picture-size.ts'
import type { AnswerFrame } from '../stored-values.ts'
import { areaOf, boxWithin, framed } from './framed-image.ts'

/** A part of a picture, as a picture of its own. */
export interface Crop extends PictureSize {
  bytes: Uint8Array
  mime: 'image/jpeg' | 'image/png'
}

/**
 * Cuts a box out of a picture: JPEG from JPEG, PNG from anything else. What of the box is outside is left out.
 * @param answerFrame the picture's size as the API's answer gives it, in pixels
 * @throws {ImageError} `no_box` when nothing of it is inside
 * @throws what sharp throws for bytes that it cannot decode
 */
export async function cropImage(
  bytes: Uint8Array,
  box: BoundingBox,
  answerFrame: AnswerFrame | undefined,
): Promise<Crop> {
  const { image, width, height } = await framed(bytes, answerFrame)
  const inside = boxWithin({ width, height }, box)
  if (inside === undefined) {
    const said = `The box (${box.xmin}, ${box.ymin}) to (${box.xmax}, ${box.ymax}) has no part of a picture of ${width} x ${height} pixels.`
    throw new ImageError('no_box', said)
  }
  const area = areaOf(inside)
  const { format } = await image.metadata()
  const part = image.extract(area)
  // The few pixels of a plate are not to lose half of their color.
  const isJpeg = format === 'jpeg'
  const drawn = isJpeg ? part.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }) : part.png()
  const mime = isJpeg ? 'image/jpeg' : 'image/png'
  const { width: partWidth, height: partHeight } = area
  return {
    bytes: await drawn.toBuffer(),
    mime,
    width: partWidth,
    height: partHeight,
  }
}
