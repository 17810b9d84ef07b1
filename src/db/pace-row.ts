import type { Heard, SharedPace } from '../shared-pace.ts'
import type { Database } from './database.ts'
import { IS_ALIVE } from './ledger-statements.ts'

// The statements on the row of an account in `api_pace`. In all of them $1 is the account, and $2 the run that asks. The
// row is `p`; of two that change it at once the second sees what the first has made of it.

/** A worker whose account was never given a delay keeps to this, in milliseconds: what `--delay` is by default. */
export const UNSET_DELAY_MS = 500
/** So many requests in a row that fail for want of the API are an outage. The pause after them doubles with each more. */
const OUTAGE_AFTER = 3
const FIRST_PAUSE_MS = 250

/** The living runs of the account. Those without a delay of their own are workers: they keep to the row's. */
export const RUNS = `SELECT count(*)::int AS runs, coalesce(max(r.delay_ms), 0) AS delay_ms,
    count(*) FILTER (WHERE r.delay_ms IS NULL)::int AS workers,
    max(r.started_at) FILTER (WHERE r.id = $2::uuid) AS began_at
  FROM ingest_runs r WHERE r.account = $1 AND ${IS_ALIVE}`

/** What all keep to for the sake of the runs that are at work. */
export const DELAY = `greatest(runs.delay_ms,
  CASE WHEN runs.workers > 0 THEN coalesce(p.delay_ms, ${UNSET_DELAY_MS}) ELSE 0 END)`
/** What another process has learned, as long as it renews it. */
export const LEARNED = `CASE WHEN p.learned_by <> $2::uuid AND p.learned_at > clock_timestamp() - interval '1 min'
  THEN p.learned_ms ELSE 0 END`
/** Who began after the refusal, or comes to ask long after it, finds out whether it is still so. */
const REFUSED = `CASE WHEN p.refused_at > runs.began_at AND p.refused_at > clock_timestamp() - interval '1 min'
  THEN p.refused_status END`
export const PAUSED = msFromNow('p.paused_until')
const HEARD = `runs.runs, ${DELAY} AS delay_ms, greatest(${DELAY}, ${LEARNED}) AS others_ms,
  ${PAUSED} AS paused_ms, ${msFromNow('p.next_at')} AS next_ms, ${REFUSED} AS refused_status`
const HEAR = `WITH runs AS (${RUNS}) SELECT ${HEARD} FROM runs LEFT JOIN api_pace p ON p.account = $1`

const SPACING = `greatest($4::float8, ${DELAY}, ${LEARNED})`
/** Of several that have learned, the row holds the longest. */
const TELLS = `p.learned_by = $2::uuid OR $5::float8 > ${LEARNED}`

/**
 * $3 how many, $4 own spacing in ms, $5 learned spacing in ms, none before $6 ms from now, all $7 ms later, $8 has the API
 * answered. The next free moments are taken and moved on in one statement, on the database's clock; of several delays and
 * learned spacings the longest wins. A row lost in a crash does no harm: nothing waits for the disk.
 */
const RESERVE = `
  WITH runs AS (${RUNS}), unsynced AS (SELECT set_config('synchronous_commit', 'off', true))
  UPDATE api_pace p SET
    next_at = $3::int * ${SPACING} * interval '1 ms'
      + greatest(p.next_at + $7::float8 * interval '1 ms', clock_timestamp() + $6::float8 * interval '1 ms'),
    spacing_ms = ${SPACING},
    failures = CASE WHEN $8 THEN 0 ELSE p.failures END,
    learned_ms = CASE WHEN ${TELLS} THEN $5 ELSE p.learned_ms END,
    learned_at = CASE WHEN ${TELLS} THEN clock_timestamp() ELSE p.learned_at END,
    learned_by = CASE WHEN ${TELLS} THEN $2 ELSE p.learned_by END
  FROM runs, unsynced WHERE p.account = $1
  RETURNING ${HEARD}, p.spacing_ms, extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms`

const ENTER = 'INSERT INTO api_pace (account, next_at) VALUES ($1, now()) ON CONFLICT DO NOTHING'
const ANSWERED = 'UPDATE api_pace SET failures = 0 WHERE account = $1 AND failures > 0'

/** $2 wait in ms. */
const PAUSE = `
  INSERT INTO api_pace AS p (account, next_at, paused_until)
  SELECT $1, until, until FROM (SELECT clock_timestamp() + $2::float8 * interval '1 ms' AS until) pause
  ON CONFLICT (account) DO UPDATE SET next_at = greatest(p.next_at, excluded.next_at),
    paused_until = greatest(p.paused_until, excluded.paused_until)`

const FAILURES = '(CASE WHEN $3 THEN 0 ELSE p.failures END + 1)'
const IS_OUTAGE = `${FAILURES} >= ${OUTAGE_AFTER}`
const OUTAGE_ENDS = `CASE WHEN ${IS_OUTAGE} THEN clock_timestamp() + interval '1 ms'
  * least($4::float8, ${FIRST_PAUSE_MS} * 2.0 ^ least(${FAILURES} - ${OUTAGE_AFTER}, 20)) END`
/** $2 sent so many ms ago, $3 has the API answered before, $4 longest pause in ms. What was sent before the last such pause says nothing new. */
const UNANSWERED = `
  UPDATE api_pace p SET failures = ${FAILURES},
    failures_paused_at = CASE WHEN ${IS_OUTAGE} THEN clock_timestamp() ELSE p.failures_paused_at END,
    next_at = greatest(p.next_at, ${OUTAGE_ENDS}),
    paused_until = greatest(p.paused_until, ${OUTAGE_ENDS})
  WHERE account = $1
    AND clock_timestamp() - $2::float8 * interval '1 ms' > coalesce(p.failures_paused_at, '-infinity')
  RETURNING ${PAUSED} AS paused_ms`

/** $2 status. */
const REFUSE =
  'UPDATE api_pace SET refused_at = clock_timestamp(), refused_status = $2 WHERE account = $1'

interface HeardRow {
  runs: number
  delay_ms: number
  others_ms: number
  paused_ms: number
  next_ms: number
  refused_status: number | null
}

type ReservedRow = HeardRow & { spacing_ms: number; now_ms: number }

/**
 * The pace of all processes that spend the same account, kept in one row of the database they share.
 * @param runId this process among them
 * @param longestPauseMs how long the requests that this process sees fail may hold all of them in an outage, at a time
 */
export function sharedPace(
  database: Database,
  account: string,
  runId: string,
  longestPauseMs = 30_000,
): SharedPace {
  return {
    async reserve({ count, spacingMs, learnedMs, pauseMs, lateMs, isAnswered }) {
      const values = [account, runId, count, spacingMs, learnedMs, pauseMs, lateMs, isAnswered]
      for (;;) {
        const [row] = await database.query<ReservedRow>(RESERVE, values)
        if (row === undefined) {
          await enterAccount(database, account)
          continue
        }
        return {
          ...heard(row),
          waitMs: Math.max(0, row.next_ms - count * row.spacing_ms),
          spacingMs: row.spacing_ms,
          nowMs: row.now_ms,
        }
      }
    },
    async hear({ isAnswered }) {
      if (isAnswered) await database.query(ANSWERED, [account])
      const [row] = await database.query<HeardRow>(HEAR, [account, runId])
      return heard(row)
    },
    async pause(waitMs) {
      await database.query(PAUSE, [account, waitMs])
    },
    async unanswered({ agoMs, isAnswered }) {
      await enterAccount(database, account)
      const values = [account, agoMs, isAnswered, longestPauseMs]
      const [row] = await database.query<Pick<HeardRow, 'paused_ms'>>(UNANSWERED, values)
      return Math.max(0, row?.paused_ms ?? 0)
    },
    async refuse(status) {
      await enterAccount(database, account)
      await database.query(REFUSE, [account, status])
    },
  }
}

/** Makes sure that the account has its row. */
export async function enterAccount(database: Database, account: string): Promise<void> {
  await database.query(ENTER, [account])
}

function heard(row: HeardRow = NOTHING): Heard {
  const { runs, delay_ms: delayMs, others_ms: spacingMs, paused_ms, next_ms: nextMs } = row
  return {
    others: { delayMs, spacingMs, runs: Math.max(1, runs) },
    pausedMs: Math.max(0, paused_ms),
    nextMs,
    ...(row.refused_status !== null && { refusedStatus: row.refused_status }),
  }
}

/** How far a time is from now, in ms; 0 when there is none. */
export function msFromNow(column: string): string {
  return `coalesce(extract(epoch FROM ${column} - clock_timestamp())::float8 * 1000, 0)`
}

const NOTHING: HeardRow = {
  ...{ runs: 1, delay_ms: 0, others_ms: 0, paused_ms: 0, next_ms: 0, refused_status: null },
}
