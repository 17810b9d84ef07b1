import { z } from 'zod'
import { lookupImage } from './lookup-image.ts'
import { maybe } from './stored-values.ts'

/**
 * When an image was taken, as it was known when it was asked about; `from` says what told it. Without `at` nothing did,
 * and the API's answer is not to tell it either.
 */
const taken = z.object({
  /** ISO 8601 in UTC. */
  at: z.string().optional(),
  from: z.enum(['list', 'exif', 'mtime', 'filename']).optional(),
})
export type Taken = z.infer<typeof taken>

/** What is known of an answer beside what it says itself. The ledger keeps it, so that later rows are the same. */
export const noted = z.object({
  /** What had to be replaced in it so that a database can keep it (storable.ts); mostly nothing. */
  mended: z.array(z.string()).catch([]),
  /** What was sent, where it was not the stored image. */
  lookupImage: maybe(lookupImage),
  /** Where it was not left to the API to say when the image was taken. */
  taken: maybe(taken),
})
export type Noted = z.infer<typeof noted>

export const NOTHING_NOTED: Noted = { mended: [] }

/** What the ledger's `asked` notes of an answer; nothing for an older entry. */
export function notedIn(asked: unknown): Noted {
  const { data } = z
    .object({ mended: z.unknown(), lookup_image: z.unknown(), taken: z.unknown() })
    .partial()
    .safeParse(asked)
  return noted.parse({ mended: data?.mended, lookupImage: data?.lookup_image, taken: data?.taken })
}

/** The same as the ledger keeps it; what there is nothing of has no key. */
export function notedAs({ mended, lookupImage, taken }: Noted) {
  return {
    mended: mended.length > 0 ? mended : undefined,
    lookup_image: lookupImage,
    taken,
  }
}
