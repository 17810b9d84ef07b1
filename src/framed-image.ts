import sharp, { type Sharp } from 'sharp'

/**
 * A picture in the frame that the API's boxes are in: whether it turns a picture as its EXIF orientation says is not
 * documented, so its pixels are taken as they are, unless the answer gives the size of the turned picture.
 * @param answerSize `image_width` and `image_height` of the answer, in pixels
 * @throws whatever sharp throws at bytes that it cannot read
 */
export async function framed(
  bytes: Uint8Array,
  answerSize: { width: number; height: number } | undefined,
): Promise<{ image: Sharp; width: number; height: number }> {
  // A damaged picture is better than none: what can be read of it is shown.
  const image = sharp(bytes, { failOn: 'none' })
  const { width, height, autoOrient: turned } = await image.metadata()
  const isSwapped = turned.width === height && turned.height === width && width !== height
  const isSeenTurned =
    isSwapped && answerSize?.width === turned.width && answerSize.height === turned.height
  return isSeenTurned ? { image: image.autoOrient(), ...turned } : { image, width, height }
}
