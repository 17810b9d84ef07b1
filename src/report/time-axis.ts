import type { Step, Unit } from './over-time.ts'

/** What is written under a chart of time, and where. */
interface TimeTick {
  /** The clocks of the zone as if they were UTC. */
  at: Date
  name: string
}

/** How many units there may be from one tick to the next. */
const APART: Readonly<Record<Unit, readonly number[]>> = {
  hour: [1, 2, 3, 6, 12, 24],
  day: [1, 2, 7, 14, 28],
  week: [1, 2, 4, 8, 13, 26],
  month: [1, 2, 3, 6, 12, 24, 60],
  year: [1, 2, 5, 10, 20, 50, 100, 200],
}
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** At most `most` ticks, at round hours, months and years; Plot's own say 12 AM, where the rest of the page says 00:00. */
export function timeTicks(steps: readonly Step[], unit: Unit, most: number): TimeTick[] {
  const choices = APART[unit]
  const apart = choices.find((n) => steps.length / n <= most) ?? choices.at(-1) ?? 1
  return steps
    .map(({ start }) => new Date(`${start}Z`))
    .filter((at, place) => placeOf(at, place, unit) % apart === 0)
    .map((at, place) => ({ at, name: nameOf(at, unit, place === 0) }))
}

/** What is counted to find the round ones. */
function placeOf(at: Date, place: number, unit: Unit): number {
  switch (unit) {
    case 'hour':
      return at.getUTCHours()
    case 'month':
      return at.getUTCFullYear() * 12 + at.getUTCMonth()
    case 'year':
      return at.getUTCFullYear()
    case 'day':
    case 'week':
      return place
  }
}

function nameOf(at: Date, unit: Unit, isFirst: boolean): string {
  const month = MONTHS[at.getUTCMonth()] ?? ''
  const day = `${month} ${at.getUTCDate()}`
  switch (unit) {
    case 'hour':
      return at.getUTCHours() === 0 ? day : `${String(at.getUTCHours()).padStart(2, '0')}:00`
    case 'day':
    case 'week':
      return day
    case 'month':
      return isFirst || month === 'Jan' ? `${month} ${at.getUTCFullYear()}` : month
    case 'year':
      return String(at.getUTCFullYear())
  }
}
