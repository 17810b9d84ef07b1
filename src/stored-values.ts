import { z } from 'zod'

// Values that an API or another tool wrote, and that may be anything.

/** What is null, or not what it should be, is absent. */
export function maybe<T extends z.ZodType>(type: T) {
  return type.optional().catch(undefined)
}

/** A box with four corners that are numbers; undefined for anything else. */
export const box = maybe(
  z.object({ xmin: z.number(), ymin: z.number(), xmax: z.number(), ymax: z.number() }),
)

/** The size of a picture, in pixels. */
export const pictureSize = z.object({ width: z.int().positive(), height: z.int().positive() })

/** How the API saw a picture: by the size that its answer gives, or upright, where that is known. */
export const answerFrame = z.union([z.literal('upright'), pictureSize])
export type AnswerFrame = z.infer<typeof answerFrame>

/** A place in a bucket. */
export const s3Object = z.object({ bucket: z.string().min(1), key: z.string().min(1) })
