import type { LedgerState } from './db/answers.ts'
import { LookupError } from './errors.ts'
import { givenUp } from './given-up.ts'
import type { Budget, RunSignals } from './look-up-plates.ts'
import { type Ingested, ingested, purgedBefore } from './outcome.ts'
import { type Deps, type Line, rememberedOf } from './pipeline.ts'

/** What `--dry-run` needs: it fetches and hashes, and asks the ledger, but writes nothing. */
export interface PreviewDeps extends Pick<Deps, 'fetchImage' | 'isGivenUp'> {
  stateOf: (sha256: string) => Promise<LedgerState>
  /** A run would ask about known images too. */
  force: boolean
  budget: Budget
  /** Images seen before in the list, about 100 bytes each. */
  seen: Set<string>
  /** Images whose answers wait in files for the next run. */
  paid: ReadonlySet<string>
}

/** One line of the list in a dry run: would it be looked up? */
export async function previewImage(
  ref: Line,
  { fetchImage, isGivenUp, stateOf, force, budget, seen, paid }: PreviewDeps,
  { stop }: RunSignals,
): Promise<Ingested> {
  const image = await fetchImage(ref, stop)
  if (image === undefined) {
    const facts = { outcome: 'duplicate', isUnchanged: true } as const
    return ingested(rememberedOf(ref).known, { readings: [] }, facts)
  }
  // Noted before anything is waited for: a copy may be under way beside it.
  const isCopy = seen.has(image.sha256)
  seen.add(image.sha256)
  if (isCopy) return ingested(image, { readings: [] }, { outcome: 'duplicate' })
  const state = await stateOf(image.sha256)
  const { isAnswered, isPaid, isPurged } = state
  if (isPurged) return purgedBefore(image)
  const isHere = isPaid || (!force && (isAnswered || paid.has(image.sha256)))
  if (isHere) return ingested(image, { readings: [] }, { outcome: 'duplicate' })
  if (isGivenUp(state)) throw givenUp(ref, state)
  if (!budget.take())
    throw new LookupError(
      'max_lookups',
      'A run would stop here: the budget of --max-lookups is used up.',
    )
  return ingested(image, { readings: [] }, { outcome: 'would_look_up' })
}
