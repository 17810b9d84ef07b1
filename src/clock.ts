/** Time as the pace sees it, so that its tests can make an hour pass in a moment. All in milliseconds. */
export interface Clock {
  now(): number
  /** Does `work` at this time or as soon after as can be, never before. @returns what calls it off */
  wake(atMs: number, work: () => void): () => void
}

/** Node's timers fire a millisecond or two late, which would be lost at each turn: the last of the wait is polled. */
const POLLED_MS = 2
/** Timers hold no more than 24 days. */
const LONGEST_TIMER_MS = 3_600_000

/** The process's own clock, which nobody sets. */
export const processClock: Clock = {
  now: () => performance.now(),
  wake(atMs, work) {
    let timer: NodeJS.Timeout | undefined
    let immediate: NodeJS.Immediate | undefined
    const look = () => {
      const restMs = atMs - performance.now()
      if (restMs <= 0) work()
      else if (restMs <= POLLED_MS) immediate = setImmediate(look)
      else timer = setTimeout(look, Math.min(Math.floor(restMs - POLLED_MS), LONGEST_TIMER_MS))
    }
    immediate = setImmediate(look)
    return () => {
      clearTimeout(timer)
      clearImmediate(immediate)
    }
  },
}
