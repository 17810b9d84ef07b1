import { ImageError, messageOf } from './errors.ts'
import { areaOf, boxWithin, framed } from './framed-image.ts'
import type { BoundingBox } from './normalize.ts'

/** A part of a picture, as a picture of its own. Sizes in pixels. */
export interface Crop {
  bytes: Buffer
  mime: 'image/jpeg' | 'image/png'
  width: number
  height: number
}

/**
 * Cuts a box out of a picture: JPEG from JPEG, PNG from anything else. What of the box is outside is left out.
 * @param answerSize the picture's size as the API's answer gives it, in pixels
 * @throws {ImageError} `no_box` when nothing of it is inside, `undecodable`
 */
export async function cropImage(
  bytes: Uint8Array,
  box: BoundingBox,
  answerSize: { width: number; height: number } | undefined,
): Promise<Crop> {
  const { image, width, height } = await orUndecodable(framed(bytes, answerSize))
  const inside = boxWithin({ width, height }, box)
  if (inside === undefined) {
    const said = `The box (${box.xmin}, ${box.ymin}) to (${box.xmax}, ${box.ymax}) has no part of a picture of ${width} x ${height} pixels.`
    throw new ImageError('no_box', said)
  }
  const area = areaOf(inside)
  const { format } = await orUndecodable(image.metadata())
  const part = image.extract(area)
  // The few pixels of a plate are not to lose half of their color.
  const isJpeg = format === 'jpeg'
  const drawn = isJpeg ? part.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }) : part.png()
  const mime = isJpeg ? 'image/jpeg' : 'image/png'
  const { width: partWidth, height: partHeight } = area
  return {
    bytes: await orUndecodable(drawn.toBuffer()),
    mime,
    width: partWidth,
    height: partHeight,
  }
}

async function orUndecodable<T>(decoding: Promise<T>): Promise<T> {
  return decoding.catch((cause) => {
    const said = `The picture cannot be decoded: ${messageOf(cause)}.`
    throw new ImageError('undecodable', said, { cause })
  })
}
