import type { Queryable } from '../db/database.ts'
import { SEEN_AT } from '../db/snapshots.ts'
import { type Period, periodValues, within } from './period.ts'

export type Unit = 'hour' | 'day' | 'week' | 'month' | 'year'

/** Images and plates by hours, days, weeks, months or years, whatever the span asks for. */
export interface OverTime {
  unit: Unit
  /** Whose hours and days they are: the IANA name. */
  timeZone: string
  /** The first and the last moment of it all. */
  first: Date | undefined
  last: Date | undefined
  /** From the first to the last without a gap. */
  steps: readonly Step[]
}

export interface Step {
  /** Its beginning on the clocks of the zone: `2026-01-31T23:00:00`. */
  start: string
  /** Images first stored, or asked about, in it. */
  images: number
  /** Rows with a plate, by when the plate was seen. */
  plates: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Up to so long the unit is used: no chart has more than about a hundred bars. */
const UNITS: readonly (readonly [Unit, upToMs: number])[] = [
  ['hour', 3 * DAY_MS],
  ['day', 92 * DAY_MS],
  ['week', 2 * 366 * DAY_MS],
  ['month', 10 * 366 * DAY_MS],
]
/** A camera whose clock is wrong may say any year. */
const MOST_STEPS = 1_000
/** Times that a chart can show; beyond them there is `infinity`, and years that JavaScript takes for others. */
const isReal = (time: string) => `${time} BETWEEN '1000-01-02Z' AND '9999-12-30Z'`

const IMAGES = `
  SELECT l.created_at AS at FROM plate_lookups l WHERE ${within('l.created_at')} AND ${isReal('l.created_at')}`
const PLATES = `
  SELECT ${SEEN_AT} AS at FROM vehicle_snapshots v
  WHERE ${within(SEEN_AT)} AND ${isReal(SEEN_AT)} AND v.plate_text <> ''`
const SPAN = `
  SELECT min(first) AS first, max(last) AS last FROM (
    SELECT min(at), max(at) FROM (${IMAGES}) i UNION ALL SELECT min(at), max(at) FROM (${PLATES}) p
  ) AS ends (first, last)`
const STEPS = `
  WITH images AS (
    SELECT date_trunc($3, at AT TIME ZONE $4::text) AS step, count(*)::int AS n FROM (${IMAGES}) i GROUP BY 1
  ), plates AS (
    SELECT date_trunc($3, at AT TIME ZONE $4::text) AS step, count(*)::int AS n FROM (${PLATES}) p GROUP BY 1
  ), ends AS (
    SELECT min(step) AS first, max(step) AS last FROM (SELECT step FROM images UNION ALL SELECT step FROM plates) s
  )
  SELECT to_char(step, 'YYYY-MM-DD"T"HH24:MI:SS') AS start,
         coalesce(images.n, 0) AS images, coalesce(plates.n, 0) AS plates
  FROM ends CROSS JOIN LATERAL generate_series(ends.first, ends.last, ('1 ' || $3)::interval) AS step
  LEFT JOIN images USING (step) LEFT JOIN plates USING (step)
  ORDER BY step DESC LIMIT ${MOST_STEPS}`

/** Counts by time. @param timeZone one that the database knows */
export async function readOverTime(
  queryable: Queryable,
  period: Period,
  timeZone: string,
): Promise<OverTime> {
  const values = periodValues(period)
  const [span] = await queryable.query<{ first: Date | null; last: Date | null }>(SPAN, values)
  const first = span?.first ?? undefined
  const last = span?.last ?? undefined
  const spanMs = first === undefined || last === undefined ? 0 : last.getTime() - first.getTime()
  const [unit] = UNITS.find(([, upToMs]) => spanMs <= upToMs) ?? ['year' as const]
  const steps = await queryable.query<Step>(STEPS, [...values, unit, timeZone])
  return { unit, timeZone, first, last, steps: steps.toReversed() }
}

/** When a step ends, on the clocks of the zone as if they were UTC. */
export function endOf({ start }: Pick<Step, 'start'>, unit: Unit): Date {
  const at = new Date(`${start}Z`)
  switch (unit) {
    case 'hour':
      return new Date(at.getTime() + HOUR_MS)
    case 'day':
      return new Date(at.getTime() + DAY_MS)
    case 'week':
      return new Date(at.getTime() + 7 * DAY_MS)
    case 'month':
      return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1))
    case 'year':
      return new Date(Date.UTC(at.getUTCFullYear() + 1, 0))
  }
}
