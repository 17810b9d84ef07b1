/** A lookup that was started: when, in milliseconds, how far from the one before it had to be, and what came of it. */
export interface Start {
  readonly at: number
  /** 0 when nothing spaced it. */
  readonly spacingMs: number
  /** Since when, in milliseconds, the account's moments had been as far apart as before this one, where they are shared. */
  readonly evenSinceMs?: number | undefined
  /** Undefined as long as nobody knows. */
  outcome: 'answered' | 'refused' | undefined
}

/** A start that the API refused, and how long it said to wait. */
export interface RefusedStart {
  start: Start
  waitMs: number
}

/** Starts are remembered for so long, and so many of them. */
const REMEMBERED_MS = 60_000
const MOST_REMEMBERED = 5_000

/** Requests are not equally long on their way: which of two that are closer came first, the starts do not tell. */
const EDGE_MS = 25
/** The same in a first burst, over connections that had yet to be made. */
const BURST_EDGE_MS = 50
/** A window that is longer than a second by no more than this is one of a second, seen late. */
const LATE_MS = 60

/** What was started lately, as the API's own log of accepted requests would have it. */
export function createStartLog() {
  let starts: Start[] = []

  function add(start: Start): void {
    starts.push(start)
    if (starts.length <= 2 * MOST_REMEMBERED) return
    const from = start.at - REMEMBERED_MS
    starts = starts.slice(-MOST_REMEMBERED).filter(({ at }) => at > from)
  }

  /** Those within (`afterMs`, `untilMs`] that were not refused. */
  function acceptedWithin(afterMs: number, untilMs: number): Start[] {
    const accepted: Start[] = []
    for (let index = starts.length - 1; index >= 0; index -= 1) {
      const start = starts[index]
      if (start === undefined || start.at <= afterMs) break
      if (start.at <= untilMs && start.outcome !== 'refused') accepted.push(start)
    }
    return accepted.reverse()
  }

  /**
   * The rate that one event of 429s tells: how many starts of one second had been accepted when the first was refused.
   * Below one a second, what the API said to wait tells it.
   * @param marginMs by how much more than a second is counted, where starts were spaced
   * @returns lookups a second, 0 when none was accepted
   */
  function rateOf(refused: readonly RefusedStart[], marginMs: number): number {
    const [first] = refused
    if (first === undefined) return 0
    const { at, spacingMs } = first.start
    const count =
      spacingMs > 0
        ? acceptedWithin(at - 1_000 - marginMs - Math.min(EDGE_MS, spacingMs / 3), at).length
        : mostInASecond(at, Math.max(...refused.map(({ start }) => start.at)))
    return count > 1 ? count : slowRateOf(refused)
  }

  /** In a burst the order says little; the fullest second says it all, for none is fuller than the limit. */
  function mostInASecond(firstMs: number, lastMs: number): number {
    const accepted = acceptedWithin(firstMs - 1_000, lastMs + BURST_EDGE_MS)
    let most = 0
    let from = 0
    for (const [index, { at }] of accepted.entries()) {
      while ((accepted[from]?.at ?? at) <= at - 1_000) from += 1
      most = Math.max(most, index - from + 1)
    }
    return most
  }

  /** The window has room for one: it is longer than the gap to the one before, and ends within what the API said. */
  function slowRateOf(refused: readonly RefusedStart[]): number {
    let isLonger = false
    let leastMs = 0
    let mostMs = Number.POSITIVE_INFINITY
    let rate = 0
    for (const { start, waitMs } of refused) {
      const [before, ...others] = acceptedWithin(start.at - REMEMBERED_MS, start.at).reverse()
      if (before === undefined) continue
      rate = 1
      const gapMs = start.at - before.at
      // The wait is told in whole seconds, rounded up.
      const surelyMs = gapMs + Math.max(0, waitMs - 1_000)
      // Several within that: the window is long, and not for one.
      if (others.some(({ at }) => at > start.at - surelyMs)) return 1
      leastMs = Math.max(leastMs, surelyMs)
      mostMs = Math.min(mostMs, gapMs + waitMs)
      isLonger ||= waitMs > 1_000 || gapMs > 1_000 + LATE_MS
    }
    return isLonger ? 1_000 / Math.max(leastMs, mostMs) : rate
  }

  return { add, acceptedWithin, rateOf }
}
