import type { RefusedStart, Start } from './start-log.ts'

/** 429s that say the same: those to all that was started before the first of them came. Times in milliseconds. */
export interface ThrottleEvent {
  began: number
  /** The end of the pause that they asked for. */
  until: number
  refused: RefusedStart[]
}

/** Gathers 429s into events: what a whole one says is known when its pause is over and its stragglers have been answered. */
export function createThrottleEvents() {
  let event: ThrottleEvent | undefined
  let lastBegan = Number.NEGATIVE_INFINITY

  return {
    /** Is one under way? */
    isOpen: () => event !== undefined,

    /** @param at when the 429 came, which said to wait so long */
    refused(start: Start, waitMs: number, at: number): void {
      const until = at + waitMs
      if (event !== undefined) {
        event.until = Math.max(event.until, until)
        event.refused.push({ start, waitMs })
      } else if (start.at > lastBegan) {
        lastBegan = at
        event = { began: at, until, refused: [{ start, waitMs }] }
      }
    },

    /** The event that is over by now, if there is one; it is given once. */
    over(at: number): ThrottleEvent | undefined {
      if (event === undefined || at < event.until) return undefined
      const ended = event
      event = undefined
      return ended
    },
  }
}
