import { setTimeout as sleep } from 'node:timers/promises'
import { delayAfter, type RetryPolicy } from './retry.ts'

/** The absence of something that a run needs all the time: the database, the image store. */
export interface Outage {
  /**
   * Does `work`, again and again while the thing is away and patience lasts. `work` must do no harm when done twice.
   * @param onAway called once, before the first wait: what must not be lost meanwhile can be brought to safety
   * @throws what `work` threw at last
   */
  through<T>(work: () => Promise<T>, onAway?: () => Promise<void>): Promise<T>
}

export interface OutageOptions {
  /** Does this failure mean that the thing is away? Anything else is passed on at once. */
  isAway: (error: unknown) => boolean
  /** Rejects while the thing is away: is it that, or is only this one piece of work sick? */
  probe: () => Promise<unknown>
  /** What a piece of work failed with that goes on failing while the thing is there: one such must not stop a run. */
  sick: (error: unknown) => unknown
  /** How long the thing may be away, in milliseconds. */
  patienceMs: number
  /** Abort ends all waits, with the last failure. */
  signal: AbortSignal
  onBegin?: ((error: unknown) => void) | undefined
  /** `ms` how long it was away. */
  onEnd?: ((ms: number) => void) | undefined
  policy?: RetryPolicy | undefined
  /** A clock in milliseconds. */
  now?: (() => number) | undefined
}

const POLICY: RetryPolicy = { retries: 5, firstMs: 250, factor: 2, longestMs: 5_000 }

/** So many sick ones in a row are no accident: a full disk refuses all of them, whatever the probe says. */
const MANY_SICK = 3

/** No patience: for what cannot go away, and for commands that are run by hand. */
export const NO_OUTAGE: Outage = { through: (work) => work() }

/**
 * One outage for all who use the thing: whoever succeeds ends it for everybody, and when patience is over nobody begins
 * to wait anew.
 */
export function createOutage({
  isAway,
  probe,
  sick,
  patienceMs,
  signal,
  onBegin,
  onEnd,
  policy = POLICY,
  now = () => performance.now(),
}: OutageOptions): Outage {
  let since: number | undefined
  /** Pieces of work that were sick one after the other, with none between that went well. */
  let sickInRow = 0
  let probing: Promise<boolean> | undefined
  /** An answer that nobody waits for any more is none. */
  const aborted = new Promise<false>((resolve) => {
    signal.addEventListener('abort', () => resolve(false), { once: true })
  })

  function isBack(): true {
    if (since !== undefined) onEnd?.(now() - since)
    since = undefined
    return true
  }

  /** Asked once for all that fail together. */
  function isThere(error: unknown): Promise<boolean> {
    probing ??= probe()
      .then(isBack, () => {
        if (since === undefined) onBegin?.(error)
        since ??= now()
        return false
      })
      .finally(() => {
        probing = undefined
      })
    return probing
  }

  return {
    async through(work, onAway) {
      /** Failures while the thing was there. */
      let sickTries = 0
      for (let tries = 1; ; tries += 1) {
        try {
          const result = await work()
          isBack()
          sickInRow = 0
          return result
        } catch (error) {
          if (!isAway(error)) throw error
          if (tries === 1) await onAway?.()
          const isSick = !signal.aborted && (await Promise.race([isThere(error), aborted]))
          if (signal.aborted) throw error
          sickTries = isSick ? sickTries + 1 : 0
          if (sickTries > policy.retries) {
            sickInRow += 1
            throw sickInRow < MANY_SICK ? sick(error) : error
          }
          if (since !== undefined && now() - since >= patienceMs) throw error
          const delayMs = delayAfter(tries, policy, Math.random())
          await sleep(delayMs, undefined, { signal }).catch(() => {})
          if (signal.aborted) throw error
        }
      }
    },
  }
}
