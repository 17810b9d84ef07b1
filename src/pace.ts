import { type Clock, processClock } from './clock.ts'
import { LookupError } from './errors.ts'
import { createLearnedRate } from './learned-rate.ts'
import { createLine, type Waiter } from './line.ts'
import { createMoments } from './moments.ts'
import type { SharedPace } from './shared-pace.ts'
import type { Start } from './start-log.ts'

/** When lookups may start: one line for all, so that a wait for one is a wait for all. */
export interface Pace {
  /**
   * Resolves when the caller's request may be sent. Rejects when `signal` aborts first, or the key is refused.
   * @param prepare done shortly before, perhaps more than once: what must be so when the request leaves
   */
  turn(signal: AbortSignal, prepare?: () => Promise<void>): Promise<Start>
  /** The API said "too many" to this start and named a wait: nobody starts before it is over, and it teaches the rate. */
  throttled(start: Start, waitMs: number): Promise<void>
  /** The API had an answer to this start: so many were not too many. */
  answered(start: Start): void
  /** This start failed for want of the API: when several do in a row, on one account, everybody waits a while. */
  unanswered(start: Start): Promise<void>
  /** The API refused the key: nobody starts any more, in no process of the account. */
  refused(error: unknown, status: number): Promise<void>
}

const NEARLY_MS = 100

/**
 * A pace of at least `delayMs` from start to start, retries included. With 0 the rate is learned from the 429s.
 * The spacing is measured in this process; with `shared` it holds for all processes on the account, and so do their delays.
 */
export function createPace(
  delayMs: number,
  shared?: SharedPace,
  clock: Clock = processClock,
): Pace {
  const law = createLearnedRate(delayMs)
  const line = createLine(clock, proceed)
  let lastStart = Number.NEGATIVE_INFINITY
  let pausedUntil = Number.NEGATIVE_INFINITY
  let refusal: { error: unknown } | undefined
  let cancelWake = () => {}

  const moments =
    shared &&
    createMoments({
      shared,
      clock,
      onHeard({ others, pausedMs, refusedStatus }) {
        law.heard(others)
        if (pausedMs > 0) pause(pausedMs)
        if (refusedStatus !== undefined) refuse(refusedElsewhere(refusedStatus))
        proceed()
      },
      onFailed(error, place, count) {
        fail(line.waiters().slice(place, place + count), error)
        proceed()
      },
    })

  function pause(waitMs: number): void {
    pausedUntil = Math.max(pausedUntil, clock.now() + waitMs)
    law.paused(pausedUntil)
    // One that is only just before its end is still good then: messages are not equally long on their way.
    moments?.drop(pausedUntil - NEARLY_MS)
  }

  function refuse(error: unknown): void {
    refusal ??= { error }
    fail(line.waiters(), error)
  }

  function fail(waiters: readonly Waiter[], error: unknown): void {
    for (const waiter of waiters) waiter.fail(error)
  }

  /** All that is to be done now, and when to look again. Called whenever anything has changed. */
  function proceed(): void {
    cancelWake()
    const { length } = line.waiters()
    if (length === 0) return
    const ownMs = law.spacingMs(clock.now())
    const isSpaced = moments === undefined ? false : moments.isSpaced(ownMs)
    if (isSpaced === undefined && clock.now() < pausedUntil + NEARLY_MS) {
      // What another has learned from the same 429s it tells when the pause is over.
      const isOver = clock.now() >= pausedUntil
      cancelWake = clock.wake(isOver ? pausedUntil + NEARLY_MS : pausedUntil, proceed)
      return
    }
    if (isSpaced === true) {
      moments?.fill(length, {
        spacingMs: ownMs,
        learnedMs: law.learnedMs(clock.now()),
        pauseMs: Math.max(0, pausedUntil - clock.now()),
      })
    }
    moments?.listen()
    if (isSpaced !== undefined) begin(ownMs, isSpaced)
  }

  /** When the one at this place may start, those before it having started at `before`. */
  function earliest(place: number, before: number, ownMs: number, isSpaced: boolean) {
    const moment = isSpaced ? moments?.of(place) : undefined
    if (isSpaced && moment === undefined) return undefined
    const spacingMs = Math.max(ownMs, moment?.spacingMs ?? 0)
    return { at: Math.max(before + spacingMs, pausedUntil, moment?.at ?? pausedUntil), spacingMs }
  }

  /** Starts whoever may start, and prepares whoever may soon. */
  function begin(ownMs: number, isSpaced: boolean): void {
    const leadMs = line.leadMs()
    let before = lastStart
    let wakeAt = moments?.listensAt() ?? Number.POSITIVE_INFINITY
    for (const [place, waiter] of line.waiters().entries()) {
      const next = earliest(place, before, ownMs, isSpaced)
      if (next === undefined) break
      const now = clock.now()
      const ready = place === 0 ? line.firstReady() : undefined
      if (place === 0 && ready !== undefined) {
        if (next.at <= now) {
          start(ready, next.spacingMs)
          proceed()
          return
        }
        wakeAt = Math.min(wakeAt, next.at)
      }
      if (next.at - leadMs > now) {
        wakeAt = Math.min(wakeAt, next.at - leadMs)
        break
      }
      void line.prepare(waiter)
      before = next.at
    }
    if (wakeAt < Number.POSITIVE_INFINITY) cancelWake = clock.wake(wakeAt, proceed)
  }

  function start(waiter: Waiter, spacingMs: number): void {
    lastStart = clock.now()
    moments?.take(lastStart)
    waiter.begin(law.started(lastStart, spacingMs))
  }

  return {
    turn(signal, prepare) {
      // A turn nobody wants any more takes no moment of the account.
      if (signal.aborted) return Promise.reject(signal.reason)
      if (refusal !== undefined) return Promise.reject(refusal.error)
      // A moment that went by unused is no longer one's own.
      if (line.waiters().length === 0) moments?.drop(clock.now() - law.spacingMs(clock.now()))
      const turn = line.join(signal, prepare)
      proceed()
      return turn
    },

    async throttled(start, waitMs) {
      law.refused(start, waitMs, clock.now())
      moments?.answered()
      pause(waitMs)
      // Others may have been told, or have learned, what is to be kept to.
      moments?.forget()
      proceed()
      await shared?.pause(waitMs)
    },

    answered(start) {
      law.answered(start, clock.now())
      moments?.answered()
    },

    async unanswered(start) {
      const pausedMs = (await moments?.unanswered(clock.now() - start.at)) ?? 0
      if (pausedMs > 0) pause(pausedMs)
      proceed()
    },

    async refused(error, status) {
      refuse(error)
      await shared?.refuse(status)
    },
  }
}

function refusedElsewhere(status: number): LookupError {
  const message = `The API refused the key to another process that uses it (status ${status}); nothing more is asked.`
  return new LookupError('api_refused', message, { status })
}
