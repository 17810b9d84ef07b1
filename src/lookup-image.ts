import { z } from 'zod'
import type { BoundingBox } from './normalize.ts'
import { pictureSize } from './stored-values.ts'

/**
 * What was sent instead of a stored image: a JPEG, upright. Sizes in pixels and bytes, `quality` from 1 to 100; `original`
 * is the size of the stored picture as viewers show it.
 */
export const lookupImage = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  bytes: z.int().positive(),
  quality: z.int(),
  original: pictureSize,
})
export type LookupImage = z.infer<typeof lookupImage>

/** A box of the picture that was sent, in whole pixels of the stored one. */
export function boxOnOriginal(box: BoundingBox, sent: LookupImage | undefined): BoundingBox {
  if (sent === undefined) return box
  const { width, height } = sent.original
  const x = (value: number) => within(Math.round((value * width) / sent.width), width)
  const y = (value: number) => within(Math.round((value * height) / sent.height), height)
  return { xmin: x(box.xmin), ymin: y(box.ymin), xmax: x(box.xmax), ymax: y(box.ymax) }
}

function within(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most)
}
