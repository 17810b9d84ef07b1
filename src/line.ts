import type { Clock } from './clock.ts'
import type { Start } from './start-log.ts'

/** How long before its moment a request is prepared at least, and how long that holds. */
const LEAD_MS = 100
const STALE_MS = 2_000

/** One who stands in line. */
export interface Waiter {
  prepare: (() => Promise<void>) | undefined
  isPreparing: boolean
  /** Wall time: it goes on while the machine sleeps, and what was prepared then may not be so any more. */
  preparedAt: number
  begin(start: Start): void
  fail(error: unknown): void
}

/**
 * Those who wait for their turn, in the order they came, each prepared shortly before.
 * @param onChange called when one has left or is prepared: others may go on now
 */
export function createLine(clock: Clock, onChange: () => void) {
  let waiters: Waiter[] = []
  /** What preparing took lately, the longest weighing most. */
  let preparingMs = 0

  function isReady({ prepare, isPreparing, preparedAt }: Waiter): boolean {
    return prepare === undefined || (!isPreparing && Date.now() - preparedAt <= STALE_MS)
  }

  return {
    /** As it is now: who begins or fails meanwhile leaves the line, not this list. */
    waiters: (): readonly Waiter[] => waiters,

    /** How long before its moment one has to be prepared, in milliseconds. */
    leadMs: () => Math.max(LEAD_MS, 2 * preparingMs),

    /** The first who is ready: one whose preparation takes long holds up nobody. */
    firstReady: (): Waiter | undefined => waiters.find(isReady),

    /** Stands in line until it begins or fails, or `signal` aborts. */
    join(signal: AbortSignal, prepare: Waiter['prepare']): Promise<Start> {
      const { promise, resolve, reject } = Promise.withResolvers<Start>()
      const leave = () => {
        signal.removeEventListener('abort', abort)
        waiters = waiters.filter((other) => other !== waiter)
      }
      const waiter: Waiter = {
        prepare,
        isPreparing: false,
        preparedAt: 0,
        begin(started) {
          leave()
          resolve(started)
        },
        fail(error) {
          leave()
          reject(error)
        },
      }
      const abort = () => {
        waiter.fail(signal.reason)
        onChange()
      }
      signal.addEventListener('abort', abort)
      waiters.push(waiter)
      return promise
    },

    /** Has one prepared, unless it is or has begun to be. */
    async prepare(waiter: Waiter): Promise<void> {
      if (isReady(waiter) || waiter.isPreparing) return
      waiter.isPreparing = true
      waiter.preparedAt = Date.now()
      const from = clock.now()
      try {
        await waiter.prepare?.()
      } catch (error) {
        waiter.fail(error)
      }
      waiter.isPreparing = false
      const tookMs = clock.now() - from
      preparingMs = Math.max(tookMs, 0.9 * preparingMs + 0.1 * tookMs)
      onChange()
    },
  }
}
