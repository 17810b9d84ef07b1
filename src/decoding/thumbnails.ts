import type { BoundingBox } from '../normalize.ts'
import type { PictureSize } from '../picture-size.ts'
import type { AnswerFrame } from '../stored-values.ts'
import { areaOf, boxWithin, type FramedImage, framed } from './framed-image.ts'

/** What is known of a row's place on its image: the plate's box, and the size that the answer gives the picture. */
export interface Place {
  box?: BoundingBox | undefined
  answerFrame?: AnswerFrame | undefined
}

/** A small picture as a `data:` address. */
export interface Small extends PictureSize {
  address: string
}

/** What of an image is shown for one of its rows. */
export interface Shown {
  picture: Small
  /** The size of the picture that the box lies in. */
  frame: PictureSize
  box?: BoundingBox | undefined
  /** The plate, cut out. */
  plate?: Small | undefined
}

/** The longest side, for a card of half a phone's width to a whole one's. */
const PICTURE_PX = 400
const PLATE_PX = { width: 160, height: 64 }
/** Around the plate. */
const MARGIN = 0.12
const QUALITY = 65

/**
 * One image made small, and the plate of each of its rows cut out.
 * @throws what sharp throws for bytes that it cannot decode
 */
export async function showPictures(bytes: Uint8Array, places: readonly Place[]): Promise<Shown[]> {
  const frame = await framed(bytes, places[0]?.answerFrame)
  const { width, height } = frame
  const picture = await small(frame.image.clone().resize(within(PICTURE_PX, PICTURE_PX)))
  return Promise.all(
    places.map(async ({ box: given }): Promise<Shown> => {
      const box = given && boxWithin(frame, given)
      const plate = box && (await cutOut(frame, box))
      return { picture, frame: { width, height }, box, plate }
    }),
  )
}

async function cutOut(frame: FramedImage, box: BoundingBox): Promise<Small | undefined> {
  const area = areaOf(boxWithin(frame, box, MARGIN) ?? box)
  return small(frame.image.clone().extract(area).resize(within(PLATE_PX.width, PLATE_PX.height)))
}

const within = (width: number, height: number) =>
  ({ width, height, fit: 'inside', withoutEnlargement: true }) as const

async function small(image: FramedImage['image']): Promise<Small> {
  const { data, info } = await image
    .webp({ quality: QUALITY })
    .toBuffer({ resolveWithObject: true })
  const { width, height } = info
  return { address: `data:image/webp;base64,${data.toString('base64')}`, width, height }
}
