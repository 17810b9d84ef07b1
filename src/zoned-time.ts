/** A time as a clock on a wall shows it: month and day from 1. */
export interface WallTime {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  ms: number
}

const DAY_MS = 86_400_000

/** To make one takes longer than to use it, and a run has one zone. */
const clocks = new Map<string, Intl.DateTimeFormat>()

/**
 * The moment, in milliseconds since 1970, at which the clocks of a zone show a time. An hour that comes twice, when
 * clocks are set back, is its first coming; in one that is skipped the clock counts as not yet set forward.
 * @param zone an IANA name, or minutes ahead of UTC
 * @returns undefined for what no clock shows, such as 30 February; 24:00 is the next day's beginning
 */
export function momentOf(time: WallTime, zone: string | number): number | undefined {
  const shown = shownMs(time)
  if (shown === undefined) return undefined
  if (typeof zone === 'number') return shown - zone * 60_000
  // Clocks are not set twice in two days: these are the offsets before and after.
  const [before, after] = [shown - DAY_MS, shown + DAY_MS].map((at) => shown - offsetAt(at, zone))
  const moments = [before, after].filter((at) => at !== undefined)
  const real = moments.filter((at) => at + offsetAt(at, zone) === shown)
  return real.length > 0 ? Math.min(...real) : before
}

/** The same time of a clock in UTC. */
function shownMs({ year, month, day, hour, minute, second, ms }: WallTime): number | undefined {
  const isMidnight = hour === 24 && minute === 0 && second === 0 && ms === 0
  if ((hour > 23 && !isMidnight) || minute > 59 || second > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // 30 February would pass as 1 or 2 March.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  return date.setUTCHours(hour, minute, second, ms)
}

/** How far ahead of UTC the clocks of a zone are, in milliseconds. */
function offsetAt(at: number, zone: string): number {
  const shown: Record<string, number> = {}
  for (const { type, value } of clockOf(zone).formatToParts(at)) shown[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000
}

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone)
  if (known !== undefined) return known
  const [number, short] = ['numeric', '2-digit'] as const
  const clock = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' },
    ...{ year: number, month: short, day: short, hour: short, minute: short, second: short },
  })
  clocks.set(zone, clock)
  return clock
}

/** `Z`, `+01:00` or `-0530` as minutes ahead of UTC; undefined for what is none, such as blanks. */
export function offsetMinutes(text: string): number | undefined {
  const [, sign, hours, minutes] = /^(?:z|([+-])(0\d|1[0-5]):?([0-5]\d))$/i.exec(text.trim()) ?? []
  if (sign === undefined) return /^\s*z\s*$/i.test(text) ? 0 : undefined
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

/** A date and a time, with their zone or without: `2026-01-31T08:30:00+01:00`. */
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?(Z|[+-]\d\d:?\d\d)?$/i

/**
 * A time in ISO 8601 as one of UTC, to the millisecond.
 * @param timezone of a time that tells none; without it such a time is not known
 * @returns undefined for what is no time
 */
export function utcOf(text: string, timezone?: string): string | undefined {
  const match = ISO.exec(text.trim())
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1, 6).map(Number)
  const [second = '0', fraction = '', zone = ''] = match.slice(6)
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const from = offsetMinutes(zone) ?? timezone
  const wall = { year, month, day, hour, minute, second: Number(second), ms }
  const moment = from === undefined ? undefined : momentOf(wall, from)
  return moment === undefined ? undefined : isoOf(moment)
}

/** `2026-01-31T08:30:00Z`, with thousandths where there are any. */
export function isoOf(moment: number): string {
  return new Date(moment).toISOString().replace('.000Z', 'Z')
}
