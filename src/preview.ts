import type { ImageRef } from './image-list.ts'
import type { RunSignals } from './look-up-plates.ts'
import { type Deps, type Ingested, ingested } from './pipeline.ts'

/** What `--dry-run` needs: it fetches and hashes, and asks the ledger, but writes nothing. */
export interface PreviewDeps {
  fetchImage: Deps['fetchImage']
  isKnown: (sha256: string) => Promise<boolean>
  /** Images seen before in the list, about 100 bytes each. */
  seen: Set<string>
}

/** One line of the list in a dry run: would it be looked up? */
export async function previewImage(
  ref: ImageRef,
  { fetchImage, isKnown, seen }: PreviewDeps,
  { stop }: RunSignals,
): Promise<Ingested> {
  const image = await fetchImage(ref, stop)
  // Noted before anything is waited for: a copy may be under way beside it.
  const isCopy = seen.has(image.sha256)
  seen.add(image.sha256)
  const isOld = isCopy || (await isKnown(image.sha256))
  return ingested(image, { readings: [] }, { outcome: isOld ? 'duplicate' : 'would_look_up' })
}
