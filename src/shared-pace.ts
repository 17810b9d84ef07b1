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
  /** The API has answered this process since it was last said: whatever failed in a row has ended. */
  isAnswered: boolean
}

/** What is heard of the account whenever it is asked. */
export interface Heard {
  others: Others
  /** For so long nobody may start. */
  pausedMs: number
  /** So far off is the next moment that nobody has: one's own that are later were taken back. */
  nextMs: number
  /** The status with which the API refused the key to another process, lately and since this one began. */
  refusedStatus?: number | undefined
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
  hear(told: Pick<Ask, 'isAnswered'>): Promise<Heard>
  /** Nobody starts before this long from now. */
  pause(waitMs: number): Promise<void>
  /**
   * A request that was sent so long ago failed for want of the API. With several in a row the account pauses.
   * @returns for so long nobody may start
   */
  unanswered(told: Pick<Ask, 'isAnswered'> & { agoMs: number }): Promise<number>
  /** The API refused the key, with this status: so it would all others. */
  refuse(status: number): Promise<void>
}
