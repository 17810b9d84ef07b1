import { DatabaseError } from '../errors.ts'
import type { Database } from './database.ts'
import { type Runs, readRuns } from './run-overview.ts'

/** Days that are told one by one; the totals are of all. */
const MOST_DAYS = 14

/** What the database holds, all of it of one moment. */
export interface Overview extends Totals, Runs {
  rows: number
  /** Sources that failed when last tried; the most frequent code first. */
  failures: readonly Failures[]
  /** The last days on which answers came, newest first. */
  days: readonly Day[]
  /** Whose days they are: the IANA name. */
  timeZone: string
}

/** What the ledger counts. */
export interface Totals {
  /** Images ever stored or asked about. */
  images: number
  answered: number
  /** Images asked about, answered or not. */
  lookups: number
  requests: number
  /** Requests whose answer was lost, perhaps billed. */
  uncertain: number
  /** Paid answers whose rows were refused. */
  unsettled: number
}

const NO_LOOKUPS: Totals = {
  images: 0,
  answered: 0,
  lookups: 0,
  requests: 0,
  uncertain: 0,
  unsettled: 0,
}

/** Sources that failed for the same reason when they were last tried. */
export interface Failures {
  code: string
  sources: number
  newest: Date
}

/** Counts of the images whose (newest) answer came on that day; `requests` are all that those images took. */
export interface Day {
  /** `2026-01-31` */
  day: string
  images: number
  requests: number
  uncertain: number
}

// The ledger is the one table that may be large: one pass gives the totals (the first row) and the days.
const LEDGER = `
  SELECT grouping(day) = 1 AS is_total, day::text AS day,
         count(*)::int AS images, count(response)::int AS answered,
         count(*) FILTER (WHERE attempts > 0)::int AS lookups, count(unsettled)::int AS unsettled,
         coalesce(sum(attempts), 0)::int AS requests, coalesce(sum(uncertain), 0)::int AS uncertain
  FROM (SELECT *, (answered_at AT TIME ZONE $1::text)::date AS day FROM plate_lookups) AS l
  GROUP BY GROUPING SETS ((), (day))
  HAVING grouping(day) = 1 OR day IS NOT NULL
  ORDER BY is_total DESC, day DESC LIMIT $2`
const ROWS = 'SELECT count(*)::int AS rows FROM vehicle_snapshots'
const FAILURES = `
  SELECT code, count(*)::int AS sources, max(failed_at) AS newest
  FROM image_failures GROUP BY code ORDER BY sources DESC, code`
/**
 * Counts what the database holds.
 * @param wantedZone whose days are counted (IANA name); a database that does not know it counts days in UTC
 */
export async function readOverview(database: Database, wantedZone: string): Promise<Overview> {
  const timeZone = await knownZone(database, wantedZone)
  return database.transaction(async (queryable) => {
    // A run may be writing: counts of different moments would contradict each other.
    await queryable.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    const ledger = await queryable.query<Totals & Day>(LEDGER, [timeZone, MOST_DAYS + 1])
    const [{ images, answered, lookups, requests, uncertain, unsettled } = NO_LOOKUPS, ...days] =
      ledger
    const [counted] = await queryable.query<{ rows: number }>(ROWS)
    return {
      ...{ images, answered, lookups, requests, uncertain, unsettled },
      rows: counted?.rows ?? 0,
      failures: await queryable.query<Failures>(FAILURES),
      days: days.map(dayOf),
      timeZone,
      ...(await readRuns(queryable, database.isEmbedded)),
    }
  })
}

const dayOf = ({ day, images, requests, uncertain }: Day): Day => ({
  day,
  images,
  requests,
  uncertain,
})

/** The zone, or UTC: PostgreSQL has a list of time zones of its own, perhaps an older one. */
export async function knownZone(database: Database, zone: string): Promise<string> {
  try {
    await database.query('SELECT now() AT TIME ZONE $1::text', [zone])
    return zone
  } catch (thrown) {
    if (thrown instanceof DatabaseError && thrown.code === 'database_failed') return 'UTC'
    throw thrown
  }
}
