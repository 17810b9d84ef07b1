import type { Sharp } from 'sharp'
import type { LookupImage } from '../lookup-image.ts'
import { openPicture } from './open-picture.ts'

/** A picture as it is sent, and what is to be known of it. */
export interface FittedImage extends Omit<LookupImage, 'bytes'> {
  bytes: Uint8Array
}

/** JPEG qualities, best first: a plate is read better in many pixels of less quality than in fewer of more. */
const QUALITIES = [95, 92, 89, 86, 83, 80, 77, 74, 71, 68, 65] as const
const [BEST] = QUALITIES
const LEAST = 65
/** What is made smaller is aimed at so much of what fits; this much of it is enough. Packing changes with size. */
const AIM = 0.96
const ENOUGH = 0.9
/** Sizes that are tried, if one of them fits. */
const MOST_TRIES = 6

/**
 * The picture upright, as a JPEG of no more bytes than there may be and as large as that allows: less quality first, then
 * fewer pixels. Animations give their first picture; what is transparent is white.
 * @param maxBytes undefined for as many as it takes
 * @throws what sharp throws for bytes that it cannot decode
 */
export async function fitForLookup(
  bytes: Uint8Array,
  maxBytes: number | undefined,
): Promise<FittedImage> {
  const { image, width, height, orientation } = await openPicture(bytes)
  const isLying = orientation >= 5
  const original = isLying ? { width: height, height: width } : { width, height }
  const upright = image.autoOrient().flatten({ background: 'white' }).toColorspace('srgb')
  const encode = (quality: number, width?: number) => encoded(upright, quality, width)
  const fits = ({ length }: Uint8Array) => maxBytes === undefined || length <= maxBytes

  const best = await encode(BEST)
  if (fits(best.bytes)) return { ...best, original, quality: BEST }
  const found = await bestThatFits(encode, fits)
  if (found.fitting !== undefined) return { ...found.fitting, original }
  const most = maxBytes ?? found.smallest.length
  let fitting: Encoded | undefined
  let [small, large] = [0, 1]
  let share = Math.sqrt((most / found.smallest.length) * AIM)
  for (let tries = 1; ; tries += 1) {
    const tried = await encode(LEAST, Math.max(1, Math.floor(original.width * share)))
    const isFitting = fits(tried.bytes)
    if (isFitting || tried.width === 1) fitting = tried
    if (isFitting) small = share
    else large = share
    const isEnough = isFitting && tried.bytes.length >= most * ENOUGH
    if (fitting !== undefined && (isEnough || tries >= MOST_TRIES)) {
      return { ...fitting, original, quality: LEAST }
    }
    const guess = share * Math.sqrt((most / tried.bytes.length) * AIM)
    share = guess > small && guess < large ? guess : (small + large) / 2
  }
}

type Encoded = Pick<FittedImage, 'bytes' | 'width' | 'height'>

/** The best quality that fits, found by halves; else how long the least is. */
async function bestThatFits(
  encode: (quality: number) => Promise<Encoded>,
  fits: (bytes: Uint8Array) => boolean,
): Promise<{ fitting?: Encoded & { quality: number }; smallest: { length: number } }> {
  const least = await encode(LEAST)
  if (!fits(least.bytes)) return { smallest: least.bytes }
  let fitting = { ...least, quality: LEAST as number }
  for (let [good, bad] = [QUALITIES.length - 1, 0]; good - bad > 1; ) {
    const middle = (good + bad) >> 1
    const quality = QUALITIES[middle] ?? LEAST
    const tried = await encode(quality)
    if (fits(tried.bytes)) {
      good = middle
      fitting = { ...tried, quality }
    } else bad = middle
  }
  return { fitting, smallest: least.bytes }
}

async function encoded(upright: Sharp, quality: number, width?: number): Promise<Encoded> {
  const sized = width === undefined ? upright.clone() : upright.clone().resize({ width })
  const { data, info } = await sized.jpeg({ quality }).toBuffer({ resolveWithObject: true })
  return { bytes: data, width: info.width, height: info.height }
}
