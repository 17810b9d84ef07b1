/** A second's lookups are spread over a little more than a second: so much more at first, and at most. */
const FIRST_MS = 20
const MOST_MS = 80
const STEP = 1.5
const HELD_MS = 120_000

/** By how much more than a second the lookups of one are spread: more after 429s that are but jitter. In milliseconds. */
export function createMargin() {
  let ms = FIRST_MS
  let widenedAt = Number.NEGATIVE_INFINITY

  function narrow(): void {
    ms = Math.max(FIRST_MS, ms / STEP)
  }

  return {
    ms: () => ms,

    /** Over so long a second's lookups are spread. */
    windowMs: () => 1_000 + ms,

    narrow,

    /** Narrows when it was widened long ago. */
    relax(at: number): void {
      if (at - widenedAt > HELD_MS) narrow()
    },

    /** @returns false when it is as wide as it gets */
    widen(at: number): boolean {
      if (ms >= MOST_MS) return false
      ms = Math.min(MOST_MS, ms * STEP)
      widenedAt = at
      return true
    },
  }
}
