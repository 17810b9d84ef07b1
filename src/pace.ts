import { setTimeout as sleep } from 'node:timers/promises'

/** When lookups may start: one line for all, so that a wait for one is a wait for all. */
export interface Pace {
  /**
   * Resolves when the caller's request may be sent. Rejects when `signal` aborts first.
   * @param prepare done shortly before, perhaps more than once: what must be so when the request leaves
   */
  turn(signal: AbortSignal, prepare?: () => Promise<void>): Promise<void>
  /** The API said "too many" and named a wait: nobody starts before it is over, and the learned rate goes down. */
  throttled(waitMs: number): Promise<void>
  /** A lookup was answered: slowly try a higher rate again. */
  answered(): void
}

/**
 * The pace shared with other processes on the same account, on the database's clock. One process alone needs none.
 * All times in milliseconds.
 */
export interface SharedPace {
  /** Takes the next free moment and moves it on by the spacing; gives the wait until it. */
  reserve(spacingMs: number): Promise<number>
  /** Nobody starts before this long from now. */
  pause(waitMs: number): Promise<void>
}

/**
 * After a 429 the rate goes to this share of what was being accepted. Each answer brings a little of it back, the more
 * the longer no 429 has come: one that came by chance does not slow a whole run.
 */
const CAUTION = 0.9
const RECOVERY_PER_SECOND = 0.0005
/** How long before its moment a request is prepared, and how long that holds. */
const LEAD_MS = 100
const STALE_MS = 2_000
/** 429s to requests that were under way when the first was answered say nothing new. */
const SAME_EVENT_MS = 1_000

/**
 * A pace of at least `delayMs` from start to start, retries included. With 0 the rate is learned from the 429s.
 * The spacing is measured in this process; with `shared` it holds for all processes on the account.
 */
export function createPace(
  delayMs: number,
  shared?: SharedPace,
  now: () => number = () => performance.now(),
): Pace {
  let tail: Promise<void> = Promise.resolve()
  let lastStart = Number.NEGATIVE_INFINITY
  let pausedUntil = Number.NEGATIVE_INFINITY
  let learnedMs = 0
  let slowedAt = Number.NEGATIVE_INFINITY
  let starts: number[] = []

  async function wait(signal: AbortSignal, prepare?: () => Promise<void>): Promise<void> {
    // A turn nobody wants any more takes no moment of the account.
    signal.throwIfAborted()
    const spacingMs = Math.max(delayMs, learnedMs)
    const reservedMs = shared !== undefined && spacingMs > 0 ? await shared.reserve(spacingMs) : 0
    const reserved = now() + reservedMs
    const moment = () => Math.max(reserved, lastStart + spacingMs, pausedUntil)
    await until(() => moment() - LEAD_MS, signal)
    // The wall clock goes on while the machine sleeps: what was prepared then may not be so any more.
    for (let preparedAt = 0; Date.now() - preparedAt > STALE_MS; ) {
      preparedAt = Date.now()
      await prepare?.()
      await until(moment, signal)
    }
    lastStart = now()
    starts = [...starts.filter((start) => start > lastStart - 1_000), lastStart]
  }

  /** Waits for a moment, which may be put off meanwhile. */
  async function until(moment: () => number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const restMs = moment() - now()
      if (restMs <= 0) return
      // Node's timers may fire a fraction of a millisecond early: look again.
      await sleep(Math.ceil(restMs), undefined, { signal })
    }
  }

  return {
    turn(signal, prepare) {
      const mine = tail.then(() => wait(signal, prepare))
      tail = mine.catch(() => {})
      return mine
    },

    async throttled(waitMs) {
      const at = now()
      pausedUntil = Math.max(pausedUntil, at + waitMs)
      if (at - slowedAt > Math.max(SAME_EVENT_MS, waitMs)) {
        // One of the starts in the last second was the refused one.
        const acceptedPerSecond = Math.max(
          1,
          starts.filter((start) => start > at - 1_000).length - 1,
        )
        learnedMs = Math.max(learnedMs, delayMs, 1_000 / acceptedPerSecond) / CAUTION
        slowedAt = at
      }
      await shared?.pause(waitMs)
    },

    answered() {
      const quietS = (now() - slowedAt) / 1_000
      const fasterMs = learnedMs / (1 + RECOVERY_PER_SECOND * quietS)
      learnedMs = learnedMs > 0 && fasterMs > delayMs ? fasterMs : 0
    },
  }
}
