import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'

/** How often to try again, and how long to wait before each further attempt, in milliseconds. */
export interface RetryPolicy {
  /** Further attempts after the first. */
  retries: number
  firstMs: number
  factor: number
  longestMs: number
}

/** Images: 2 further tries for network errors and 5xx. */
export const FETCH_POLICY: RetryPolicy = { retries: 2, firstMs: 500, factor: 2, longestMs: 5_000 }

/** Lookups: about 1, 2, 4, 8, 16 s; `--retries` sets how often. */
export const LOOKUP_POLICY: RetryPolicy = {
  retries: 5,
  firstMs: 1_000,
  factor: 2,
  longestMs: 60_000,
}

/**
 * How long to wait after a failed attempt (counted from 1), in milliseconds: exponential, capped, and spread over the
 * upper half by `random` (0 to 1), so that what failed together does not come back together.
 */
export function delayAfter(attempt: number, policy: RetryPolicy, random: number): number {
  const whole = Math.min(policy.firstMs * policy.factor ** (attempt - 1), policy.longestMs)
  return whole * (0.5 + random / 2)
}

/**
 * Does `work` until it goes well, `mayRetry` says no, or the policy's attempts are used up. Abort ends a wait at once
 * and gives the last failure. (p-retry's own `signal` would throw away the result of work that ended after the abort:
 * an answer already paid for.)
 */
export function withRetry<T>(
  work: () => Promise<T>,
  policy: RetryPolicy,
  mayRetry: (error: Error) => boolean,
  signal: AbortSignal,
): Promise<T> {
  return pRetry(work, {
    retries: policy.retries,
    minTimeout: 0,
    async onFailedAttempt({ error, attemptNumber, retriesLeft }) {
      if (retriesLeft === 0 || !mayRetry(error)) return
      const delayMs = delayAfter(attemptNumber, policy, Math.random())
      // Ended early, the wait is followed by `shouldRetry`, which sees the abort.
      await sleep(delayMs, undefined, { signal }).catch(() => {})
    },
    shouldRetry: ({ error }) => mayRetry(error) && !signal.aborted,
  })
}
