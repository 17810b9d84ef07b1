import { z } from 'zod'
import { captureTime } from './capture-time.ts'
import { lookupImage } from './lookup-image.ts'
import { maybe } from './stored-values.ts'

/** What is known of an answer beside what it says itself. The ledger keeps it, so that later rows are the same. */
export const noted = z.object({
  /** What had to be replaced in it so that a database can keep it (storable.ts); mostly nothing. */
  mended: z.array(z.string()).catch([]),
  /** What was sent, where it was not the stored image. */
  lookupImage: maybe(lookupImage),
  /** When the image was taken, where that was not left to the API to say. */
  captured: maybe(captureTime),
})
export type Noted = z.infer<typeof noted>

export const NOTHING_NOTED: Noted = { mended: [] }

/** What the ledger's `asked` notes of an answer; nothing for an older entry. */
export function notedIn(asked: unknown): Noted {
  const { data } = z
    .object({ mended: z.unknown(), lookup_image: z.unknown(), captured: z.unknown() })
    .partial()
    .safeParse(asked)
  return noted.parse({
    mended: data?.mended,
    lookupImage: data?.lookup_image,
    captured: data?.captured,
  })
}

/** The same as the ledger keeps it; what there is nothing of has no key. */
export function notedAs({ mended, lookupImage, captured }: Noted) {
  return {
    mended: mended.length > 0 ? mended : undefined,
    lookup_image: lookupImage,
    captured,
  }
}
