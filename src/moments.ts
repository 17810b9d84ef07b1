import type { Clock } from './clock.ts'
import type { Ask, Heard, SharedPace } from './shared-pace.ts'

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

/** Who stands in line hears of the others at least this often. */
export const HEAR_EVERY_MS = 5_000
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
  let askedAt = Number.NEGATIVE_INFINITY
  let isHeard = false
  /** The API has answered, and the account has not been told. */
  let isAnswered = false

  function hear(heard: Heard): void {
    isHeard = true
    othersMs = heard.others.spacingMs
    const nextAt = clock.now() + heard.nextMs
    held = held.filter(({ at }) => at <= nextAt)
  }

  function tellAnswered(): { isAnswered: boolean } {
    const told = { isAnswered }
    isAnswered = false
    return told
  }

  async function ask(work: () => Promise<Heard>, count: number): Promise<void> {
    isAsking = true
    askedAt = clock.now()
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
      hear(reserved)
      const first = clock.now() - heardLate(nowMs, tookMs) + waitMs
      for (let place = 0; place < wanted.count; place += 1) {
        held.push({ at: first + place * spacingMs, spacingMs })
      }
      held = held.filter(({ at }) => at >= validFrom)
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
      return isHeard ? false : undefined
    },

    /** Whatever was heard is no longer so. */
    forget(): void {
      isHeard = false
    },

    /** The API has answered: the account is told with whatever it is asked next. */
    answered(): void {
      isAnswered = true
    },

    /** A request that was sent so long ago failed for want of the API. @returns for so long nobody may start */
    unanswered(agoMs: number): Promise<number> {
      return shared.unanswered({ agoMs, ...tellAnswered() })
    },

    /** When `listen` has something to do again. */
    listensAt(): number {
      if (isAsking) return Number.POSITIVE_INFINITY
      return isHeard ? askedAt + HEAR_EVERY_MS : clock.now()
    },

    /** Asks how the others do, when that was long ago. */
    listen(): void {
      if (isAsking || (isHeard && clock.now() - askedAt < HEAR_EVERY_MS)) return
      // One that has been heard before may fail: the next will do.
      const count = isHeard ? 0 : Number.POSITIVE_INFINITY
      const work = async () => {
        const heard = await shared.hear(tellAnswered())
        hear(heard)
        return heard
      }
      void ask(work, count)
    },

    /** Reserves moments for those in the line who have none. */
    fill(waiting: number, wanted: Omit<Ask, 'count' | 'lateMs' | 'isAnswered'>): void {
      const spacingMs = Math.max(wanted.spacingMs, othersMs)
      const most = spacingMs > 0 ? Math.ceil((2 * roundTripMs) / spacingMs) + 1 : 1
      const count = Math.min(waiting, most) - held.length
      if (isAsking || count <= 0) return
      const late = lateMs
      lateMs = 0
      void ask(() => reserve({ ...wanted, ...tellAnswered(), count, lateMs: late }), count)
    },
  }
}
