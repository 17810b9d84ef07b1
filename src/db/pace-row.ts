import { randomUUID } from 'node:crypto'
import type { Heard, SharedPace } from '../moments.ts'
import type { Database } from './database.ts'
import { IS_ALIVE } from './ledger-statements.ts'

// In all statements $1 is the account, and $2 this process among those that share it.

const RUNS = `SELECT count(*)::int AS runs, coalesce(max(r.delay_ms), 0) AS delay_ms
  FROM ingest_runs r WHERE r.account = $1 AND ${IS_ALIVE}`

/** What another process has learned, as long as it renews it. */
const LEARNED = `CASE WHEN p.learned_by <> $2::uuid AND p.learned_at > clock_timestamp() - interval '1 min'
  THEN p.learned_ms ELSE 0 END`
const HEARD = `runs.runs, greatest(runs.delay_ms, ${LEARNED}) AS others_ms,
  coalesce(extract(epoch FROM p.paused_until - clock_timestamp())::float8 * 1000, 0) AS paused_ms`
const HEAR = `WITH runs AS (${RUNS}) SELECT ${HEARD} FROM runs LEFT JOIN api_pace p ON p.account = $1`

const SPACING = `greatest($4::float8, runs.delay_ms, ${LEARNED})`
/** Of several that have learned, the row holds the longest. */
const TELLS = `p.learned_by = $2::uuid OR $5::float8 > ${LEARNED}`

/**
 * $3 how many, $4 own spacing in ms, $5 learned spacing in ms, none before $6 ms from now, all $7 ms later. The next free moments are taken and moved on in one statement, on the database's clock; of several
 * delays and learned spacings the longest wins. A row lost in a crash does no harm: nothing waits for the disk.
 */
const RESERVE = `
  WITH runs AS (${RUNS}), unsynced AS (SELECT set_config('synchronous_commit', 'off', true))
  UPDATE api_pace p SET
    next_at = $3::int * ${SPACING} * interval '1 ms'
      + greatest(p.next_at + $7::float8 * interval '1 ms', clock_timestamp() + $6::float8 * interval '1 ms'),
    spacing_ms = ${SPACING},
    learned_ms = CASE WHEN ${TELLS} THEN $5 ELSE p.learned_ms END,
    learned_at = CASE WHEN ${TELLS} THEN clock_timestamp() ELSE p.learned_at END,
    learned_by = CASE WHEN ${TELLS} THEN $2 ELSE p.learned_by END
  FROM runs, unsynced WHERE p.account = $1
  RETURNING ${HEARD}, p.spacing_ms, extract(epoch FROM p.next_at)::float8 * 1000 AS next_ms,
    extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms`

const ENTER = 'INSERT INTO api_pace (account, next_at) VALUES ($1, now()) ON CONFLICT DO NOTHING'

/** $2 wait in ms. */
const PAUSE = `
  INSERT INTO api_pace AS p (account, next_at, paused_until)
  SELECT $1, until, until FROM (SELECT clock_timestamp() + $2::float8 * interval '1 ms' AS until) pause
  ON CONFLICT (account) DO UPDATE SET next_at = greatest(p.next_at, excluded.next_at),
    paused_until = greatest(p.paused_until, excluded.paused_until)`

interface HeardRow {
  runs: number
  others_ms: number
  paused_ms: number
}

type ReservedRow = HeardRow & { spacing_ms: number; next_ms: number; now_ms: number }

/** The pace of all processes that spend the same account, kept in one row of the database they share. */
export function sharedPace(database: Database, account: string): SharedPace {
  const self = randomUUID()
  return {
    async reserve({ count, spacingMs, learnedMs, pauseMs, lateMs }) {
      const values = [account, self, count, spacingMs, learnedMs, pauseMs, lateMs]
      for (;;) {
        const [row] = await database.query<ReservedRow>(RESERVE, values)
        if (row === undefined) {
          await database.query(ENTER, [account])
          continue
        }
        const firstMs = row.next_ms - count * row.spacing_ms
        return {
          ...heard(row),
          waitMs: Math.max(0, firstMs - row.now_ms),
          spacingMs: row.spacing_ms,
          nowMs: row.now_ms,
        }
      }
    },
    async hear() {
      const [row] = await database.query<HeardRow>(HEAR, [account, self])
      return heard(row)
    },
    async pause(waitMs) {
      await database.query(PAUSE, [account, waitMs])
    },
  }
}

function heard({ runs, others_ms, paused_ms }: HeardRow = NOTHING): Heard {
  return {
    others: { spacingMs: others_ms, runs: Math.max(1, runs) },
    pausedMs: Math.max(0, paused_ms),
  }
}

const NOTHING: HeardRow = { runs: 1, others_ms: 0, paused_ms: 0 }
