import type { Database, Queryable } from '../db/database.ts'
import { type Failures, knownZone, type Totals as LedgerTotals } from '../db/overview.ts'
import { SEEN_AT } from '../db/snapshots.ts'
import { type OverTime, readOverTime } from './over-time.ts'
import { type Period, periodValues, within } from './period.ts'
import { type PicturesWanted, readPictureIds } from './pictures.ts'
import { readScores, type Scores } from './scores.ts'

/** Everything that a report says in figures, all of one moment; counted in SQL, whatever the number of rows. */
export interface Figures {
  totals: Totals
  overTime: OverTime
  scores: Scores
  tops: Record<TopName, Top>
  /** Sources that failed when last tried; the most frequent code first. */
  failures: readonly Failures[]
  /** The rows whose pictures are wanted, in their order. */
  pictureIds: readonly string[]
}

interface Totals extends Omit<LedgerTotals, 'unsettled'> {
  /** Lookups that were not bought again, as the runs counted them. */
  saved: number
  rows: number
}

export type TopName = 'makes' | 'models' | 'colors' | 'regions' | 'cameras'

/** The most frequent values; `names` is how many there are in all. */
export interface Top {
  names: number
  most: readonly { name: string; rows: number }[]
}

export interface FiguresWanted extends Period, PicturesWanted {
  /** The threshold to count by; undefined: that of the last run. */
  confidenceThreshold?: number | undefined
}

const LEDGER = `
  SELECT count(*)::int AS images, count(response)::int AS answered,
         count(*) FILTER (WHERE attempts > 0)::int AS lookups,
         coalesce(sum(attempts), 0)::int AS requests, coalesce(sum(uncertain), 0)::int AS uncertain
  FROM plate_lookups l WHERE ${within('l.created_at')}`
const SAVED = `
  SELECT coalesce(sum((summary->>'lookups_saved')::numeric), 0)::float8 AS saved
  FROM ingest_runs r WHERE ${within('r.started_at')} AND jsonb_typeof(summary->'lookups_saved') = 'number'`
const ROWS = `SELECT count(*)::int AS rows FROM vehicle_snapshots v WHERE ${within(SEEN_AT)}`
const FAILURES = `
  SELECT code, count(*)::int AS sources, max(failed_at) AS newest
  FROM image_failures f WHERE ${within('f.failed_at')} GROUP BY code ORDER BY sources DESC, code`

/** The best guess stands first in a list. */
const TOPS: Readonly<Record<TopName, string>> = {
  makes: "v.makes_models #>> '{0,make}'",
  models: "(v.makes_models #>> '{0,make}') || ' ' || (v.makes_models #>> '{0,model}')",
  colors: "v.colors #>> '{0,color}'",
  regions: "v.meta #>> '{region,code}'",
  cameras: 'v.camera_id',
}
const MOST_NAMES = 10
const topOf = (name: string) => `
  SELECT name, rows, (count(*) OVER ())::int AS names FROM (
    SELECT left(${name}, 200) AS name, count(*)::int AS rows
    FROM vehicle_snapshots v WHERE ${within(SEEN_AT)} AND ${name} <> '' GROUP BY 1
  ) AS named ORDER BY rows DESC, name COLLATE "C" LIMIT ${MOST_NAMES}`

/**
 * Counts what a report shows.
 * @param wantedZone whose hours, days and months are counted (IANA name)
 */
export async function readFigures(
  database: Database,
  wanted: FiguresWanted,
  wantedZone: string,
): Promise<Figures> {
  const zone = await knownZone(database, wantedZone)
  return database.transaction(async (queryable) => {
    // A run may be writing: counts of different moments would contradict each other.
    await queryable.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    return {
      totals: await readTotals(queryable, wanted),
      overTime: await readOverTime(queryable, wanted, zone),
      scores: await readScores(queryable, wanted, wanted.confidenceThreshold),
      tops: {
        makes: await readTop(queryable, wanted, 'makes'),
        models: await readTop(queryable, wanted, 'models'),
        colors: await readTop(queryable, wanted, 'colors'),
        regions: await readTop(queryable, wanted, 'regions'),
        cameras: await readTop(queryable, wanted, 'cameras'),
      },
      failures: await queryable.query<Failures>(FAILURES, periodValues(wanted)),
      pictureIds: await readPictureIds(queryable, wanted),
    }
  })
}

async function readTotals(queryable: Queryable, period: Period): Promise<Totals> {
  const values = periodValues(period)
  const [ledger] = await queryable.query<Omit<Totals, 'saved' | 'rows'>>(LEDGER, values)
  const [runs] = await queryable.query<Pick<Totals, 'saved'>>(SAVED, values)
  const [rows] = await queryable.query<Pick<Totals, 'rows'>>(ROWS, values)
  const none = { images: 0, answered: 0, lookups: 0, requests: 0, uncertain: 0, saved: 0, rows: 0 }
  return { ...none, ...ledger, ...runs, ...rows }
}

async function readTop(queryable: Queryable, period: Period, which: TopName): Promise<Top> {
  const found = await queryable.query<{ name: string; rows: number; names: number }>(
    topOf(TOPS[which]),
    periodValues(period),
  )
  const most = found.map(({ name, rows }) => ({ name, rows }))
  return { names: found[0]?.names ?? 0, most }
}
