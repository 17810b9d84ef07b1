import type { Clock } from './clock.ts'
import type { Others } from './learned-rate.ts'

/** What a process asks of the account's pace. All in milliseconds. */
export interface Ask {
  /** So many moments. */
  count: number
  /** What this process keeps to by itself: its delay, or what it has learned. */
  spacingMs: number
  /** What it has learned, for the others to keep to as well; 0 for nothing. */
  learnedMs: number
  /** None of the moments before this long from now. */
  pauseMs: number
  /** By how much more than before it was late for the moments it was given: all that is not yet given comes later. */
  lateMs: number
}

/** What is heard of the account whenever it is asked. */
export interface Heard {
  others: Others
  /** For so long nobody may start. */
  pausedMs: number
}

/** Moments that are this process's own: the first after `waitMs`, the others `spacingMs` apart. */
export interface Reserved extends Heard {
  waitMs: number
  spacingMs: number
  /** When that was said, on the database's clock. */
  nowMs: number
}

/** The pace shared with other processes on the same account, on the database's clock. One process alone needs none. */
export interface SharedPace {
  /** Takes the next free moments. */
  reserve(ask: Ask): Promise<Reserved>
  /** What the others are at, without taking anything. */
  hear(): Promise<Heard>
  /** Nobody starts before this long from now. */
  pause(waitMs: number): Promise<void>
}

/** When one lookup may start, and how long after the one before. */
export interface Moment {
  at: number
  spacingMs: number
}

export interface MomentsOptions {
  shared: SharedPace
  clock: Clock
  /** Something has been heard: look again. */
  onHeard: (heard: Heard) => void
  /** The account could not be asked: so many in the line, from this place on, get no moment. */
  onFailed: (error: unknown, place: number, count: number) => void
}

/** Who takes no moments hears of the others this often. */
const HEAR_EVERY_MS = 5_000
/** Who is late by less tells nobody: a second's lookups are spread over a little more than a second. */
const LATE_MS = 20

/**
 * The moments that this process has reserved, some ahead: as many as a round trip to the database is worth, and never
 * more than there are lookups waiting.
 */
export function createMoments({ shared, clock, onHeard, onFailed }: MomentsOptions) {
  let held: Moment[] = []
  /** Moments before this are worth nothing, also those that are only being asked for. */
  let validFrom = Number.NEGATIVE_INFINITY
  /** The least that an answer came after it was said, both clocks' difference included. */
  let leastOffsetMs = Number.POSITIVE_INFINITY
  /** How late this process was when the others heard of it, and what they have not heard yet. */
  let toldLateMs = 0
  let lateMs = 0
  let othersMs = 0
  let roundTripMs = 0
  let isAsking = false
  let heardAt: number | undefined

  function hear(heard: Heard): void {
    heardAt = clock.now()
    othersMs = heard.others.spacingMs
  }

  async function ask(work: () => Promise<Heard>, count: number): Promise<void> {
    isAsking = true
    try {
      const heard = await work()
      isAsking = false
      onHeard(heard)
    } catch (error) {
      isAsking = false
      onFailed(error, held.length, count)
    }
  }

  /** How late an answer was heard, out of a round trip that took so long. */
  function heardLate(nowMs: number, tookMs: number): number {
    const offsetMs = clock.now() - nowMs
    // Longer than the whole trip cannot be: the database's clock was set.
    if (offsetMs < leastOffsetMs || offsetMs > leastOffsetMs + tookMs) leastOffsetMs = offsetMs
    return offsetMs - leastOffsetMs
  }

  function reserve(wanted: Ask): Promise<Heard> {
    const asked = clock.now()
    return shared.reserve(wanted).then((reserved) => {
      const tookMs = clock.now() - asked
      // A slow one at once, a fast one by and by.
      roundTripMs = Math.max(tookMs, 0.8 * roundTripMs + 0.2 * tookMs)
      const { waitMs, spacingMs, nowMs } = reserved
      const first = clock.now() - heardLate(nowMs, tookMs) + waitMs
      for (let place = 0; place < wanted.count; place += 1) {
        held.push({ at: first + place * spacingMs, spacingMs })
      }
      held = held.filter(({ at }) => at >= validFrom)
      hear(reserved)
      return reserved
    })
  }

  return {
    /** The moment of the one who is at this place in the line; undefined as long as there is none. */
    of(place: number): Moment | undefined {
      return held[place]
    },

    /** The first moment was used at this time. */
    take(at: number): void {
      const moment = held.shift()
      const nowLateMs = at - (moment?.at ?? at)
      // Moments that were given before that was told are late by as much, which is no news.
      if (nowLateMs - toldLateMs > LATE_MS) {
        // A start that is later by more than a spacing takes the place of another one, no more.
        lateMs += Math.min(nowLateMs - toldLateMs, moment?.spacingMs ?? 0)
        toldLateMs = nowLateMs
      }
      toldLateMs = Math.min(toldLateMs, nowLateMs)
    },

    /** Moments before this time are worth nothing any more: others have gone by, or start then. */
    drop(beforeMs: number): void {
      validFrom = Math.max(validFrom, beforeMs)
      held = held.filter(({ at }) => at >= validFrom)
    },

    /** Does anything space the lookups? Undefined as long as that has not been heard. */
    isSpaced(ownMs: number): boolean | undefined {
      if (ownMs > 0 || othersMs > 0) return true
      return heardAt === undefined ? undefined : false
    },

    /** Whatever was heard is no longer so. */
    forget(): void {
      heardAt = undefined
    },

    /** Asks how the others do, when that was long ago. */
    listen(): void {
      if (isAsking || (heardAt !== undefined && clock.now() - heardAt < HEAR_EVERY_MS)) return
      // One that has been heard before may fail: the next will do.
      const count = heardAt === undefined ? Number.POSITIVE_INFINITY : 0
      const work = async () => {
        const heard = await shared.hear()
        hear(heard)
        return heard
      }
      void ask(work, count)
    },

    /** Reserves moments for those in the line who have none. */
    fill(waiting: number, wanted: Omit<Ask, 'count' | 'lateMs'>): void {
      const spacingMs = Math.max(wanted.spacingMs, othersMs)
      const most = spacingMs > 0 ? Math.ceil((2 * roundTripMs) / spacingMs) + 1 : 1
      const count = Math.min(waiting, most) - held.length
      if (isAsking || count <= 0) return
      const late = lateMs
      lateMs = 0
      void ask(() => reserve({ ...wanted, count, lateMs: late }), count)
    },
  }
}
