import { type Clock, processClock } from './clock.ts'
import { createLearnedRate } from './learned-rate.ts'
import { createMoments, type SharedPace } from './moments.ts'
import type { Start } from './start-log.ts'

/** When lookups may start: one line for all, so that a wait for one is a wait for all. */
export interface Pace {
  /**
   * Resolves when the caller's request may be sent. Rejects when `signal` aborts first.
   * @param prepare done shortly before, perhaps more than once: what must be so when the request leaves
   */
  turn(signal: AbortSignal, prepare?: () => Promise<void>): Promise<Start>
  /** The API said "too many" to this start and named a wait: nobody starts before it is over, and it teaches the rate. */
  throttled(start: Start, waitMs: number): Promise<void>
  /** A lookup was answered: so many were not too many. */
  answered(start: Start): void
}

/** How long before its moment a request is prepared at least, and how long that holds. */
const LEAD_MS = 100
const STALE_MS = 2_000
const NEARLY_MS = 100

/** One who stands in line. */
interface Waiter {
  prepare: (() => Promise<void>) | undefined
  isPreparing: boolean
  /** Wall time: it goes on while the machine sleeps, and what was prepared then may not be so any more. */
  preparedAt: number
  begin(start: Start): void
  fail(error: unknown): void
}

/**
 * A pace of at least `delayMs` from start to start, retries included. With 0 the rate is learned from the 429s.
 * The spacing is measured in this process; with `shared` it holds for all processes on the account.
 */
export function createPace(
  delayMs: number,
  shared?: SharedPace,
  clock: Clock = processClock,
): Pace {
  const law = createLearnedRate(delayMs)
  let line: Waiter[] = []
  let lastStart = Number.NEGATIVE_INFINITY
  let pausedUntil = Number.NEGATIVE_INFINITY
  /** What preparing took lately, the longest weighing most. */
  let preparingMs = 0
  let cancelWake = () => {}

  const moments =
    shared &&
    createMoments({
      shared,
      clock,
      onHeard({ others, pausedMs }) {
        law.heard(others)
        if (pausedMs > 0) pause(pausedMs)
        proceed()
      },
      onFailed(error, place, count) {
        for (const waiter of line.slice(place, place + count)) waiter.fail(error)
        proceed()
      },
    })

  function pause(waitMs: number): void {
    pausedUntil = Math.max(pausedUntil, clock.now() + waitMs)
    // One that is only just before its end is still good then: messages are not equally long on their way.
    moments?.drop(pausedUntil - NEARLY_MS)
  }

  /** All that is to be done now, and when to look again. Called whenever anything has changed. */
  function proceed(): void {
    cancelWake()
    if (line.length === 0) return
    const ownMs = law.spacingMs(clock.now())
    const isSpaced = moments === undefined ? false : moments.isSpaced(ownMs)
    if (isSpaced === undefined && clock.now() < pausedUntil + NEARLY_MS) {
      // What another has learned from the same 429s it tells when the pause is over.
      const isOver = clock.now() >= pausedUntil
      cancelWake = clock.wake(isOver ? pausedUntil + NEARLY_MS : pausedUntil, proceed)
      return
    }
    if (isSpaced !== true) moments?.listen()
    if (isSpaced === undefined) return
    if (isSpaced) {
      moments?.fill(line.length, {
        spacingMs: ownMs,
        learnedMs: law.learnedMs(clock.now()),
        pauseMs: Math.max(0, pausedUntil - clock.now()),
      })
    }
    begin(ownMs, isSpaced)
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
    const leadMs = Math.max(LEAD_MS, 2 * preparingMs)
    let before = lastStart
    let wakeAt = Number.POSITIVE_INFINITY
    for (const [place, waiter] of line.entries()) {
      const next = earliest(place, before, ownMs, isSpaced)
      if (next === undefined) break
      const now = clock.now()
      // The first who is ready: one whose preparation takes long holds up nobody.
      const ready = place === 0 ? line.find(isReady) : undefined
      if (place === 0 && ready !== undefined) {
        if (next.at <= now) {
          start(ready, next.spacingMs)
          proceed()
          return
        }
        wakeAt = next.at
      }
      if (next.at - leadMs > now) {
        wakeAt = Math.min(wakeAt, next.at - leadMs)
        break
      }
      if (!isReady(waiter)) void prepare(waiter)
      before = next.at
    }
    if (wakeAt < Number.POSITIVE_INFINITY) cancelWake = clock.wake(wakeAt, proceed)
  }

  function isReady({ prepare, isPreparing, preparedAt }: Waiter): boolean {
    return prepare === undefined || (!isPreparing && Date.now() - preparedAt <= STALE_MS)
  }

  async function prepare(waiter: Waiter): Promise<void> {
    if (waiter.isPreparing) return
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
    proceed()
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
      const { promise, resolve, reject } = Promise.withResolvers<Start>()
      const leave = () => {
        signal.removeEventListener('abort', abort)
        line = line.filter((other) => other !== waiter)
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
        proceed()
      }
      signal.addEventListener('abort', abort)
      // A moment that went by unused is no longer one's own.
      if (line.length === 0) moments?.drop(clock.now() - law.spacingMs(clock.now()))
      line.push(waiter)
      proceed()
      return promise
    },

    async throttled(start, waitMs) {
      law.refused(start, waitMs, clock.now())
      pause(waitMs)
      // Others may have been told, or have learned, what is to be kept to.
      moments?.forget()
      proceed()
      await shared?.pause(waitMs)
    },

    answered(start) {
      law.answered(start, clock.now())
    },
  }
}
