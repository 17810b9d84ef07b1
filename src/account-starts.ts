import { createStartLog, type RefusedStart, type Start } from './start-log.ts'

/** Of so few lookups in a second those of all runs cannot be told: 429s lower the rate by this. */
const FEW = 3
const STEP_DOWN = 1.15

/** How the lookups were spaced when some were refused. Times in milliseconds. */
export interface Kept {
  /** How many runs share the account, this one included. */
  runs: number
  /** What all keep to by now. */
  spacingMs: number
  /** Over so long a second's lookups are spread, and how much of that is counted. */
  windowMs: number
  marginMs: number
}

/** What this process has started, and what can be told from it of all that was started on the account. */
export function createAccountStarts() {
  const log = createStartLog()
  /** The account's moments have been evenly spaced since then. */
  let evenSinceMs = Number.NEGATIVE_INFINITY
  let last: Pick<Start, 'at' | 'spacingMs'> = { at: Number.NEGATIVE_INFINITY, spacingMs: 0 }

  return {
    acceptedWithin: log.acceptedWithin,

    /** Nobody starts before this time. */
    paused(until: number): void {
      evenSinceMs = Math.max(evenSinceMs, until)
    },

    started(at: number, spacingMs: number): Start {
      const hasChanged = Math.abs(spacingMs - last.spacingMs) > 0.01 * last.spacingMs
      // The first after a pause may have another spacing: so have all after it.
      if (hasChanged && last.at > evenSinceMs) evenSinceMs = at
      const start: Start = { at, spacingMs, evenSinceMs, outcome: undefined }
      last = start
      log.add(start)
      return start
    },

    /** How many lookups of all runs together there were up to this one within so many milliseconds. */
    lookupsUpTo(
      start: Start,
      withinMs: number,
      runs: number,
      isCounted: (start: Start) => boolean,
    ): number {
      if (runs === 1) {
        return log.acceptedWithin(start.at - withinMs, start.at).filter(isCounted).length
      }
      // As many as there were moments, for none is reserved for nobody; of these a run makes too few itself to count.
      const evenMs = start.at - (start.evenSinceMs ?? start.at)
      return 1 + Math.floor(Math.min(evenMs, withinMs) / start.spacingMs)
    },

    /** How many lookups a second of all runs together the API seems to accept; 0 when nobody can tell. */
    rateOf(
      refused: readonly RefusedStart[],
      { runs, spacingMs, windowMs, marginMs }: Kept,
    ): number {
      const counted = log.rateOf(refused, marginMs)
      const sentMs = refused[0]?.start.spacingMs ?? 0
      if (runs === 1 || sentMs === 0 || counted >= FEW) {
        return counted < 1 ? counted : counted * runs
      }
      // Too few of all are seen here: that it was too much is all there is to know. Perhaps others have told already.
      return sentMs < 0.95 * spacingMs ? 0 : windowMs / sentMs / STEP_DOWN
    },
  }
}
