import type { SharedPace } from '../pace.ts'
import type { Database } from './database.ts'
import { IS_ALIVE } from './ledger-statements.ts'

/**
 * $1 account, $2 spacing in ms. The next free moment is taken and moved on
 * in one statement, on the database's clock; of several runs' delays the longest wins.
 */
const RESERVE = `
  WITH spacing AS (
    SELECT make_interval(secs => greatest($2::float8, max(r.delay_ms)) / 1000) AS step
    FROM ingest_runs r
    WHERE r.account = $1 AND ${IS_ALIVE}
  ), taken AS (
    INSERT INTO api_pace AS p (account, next_at) SELECT $1, clock_timestamp() + step FROM spacing
    ON CONFLICT (account) DO UPDATE
      SET next_at = greatest(p.next_at, clock_timestamp()) + (SELECT step FROM spacing)
    RETURNING next_at
  )
  SELECT extract(epoch FROM next_at - step - clock_timestamp())::float8 * 1000 AS wait_ms FROM taken, spacing`

/** $1 account, $2 wait in ms. */
const PAUSE = `
  INSERT INTO api_pace AS p (account, next_at)
  VALUES ($1, clock_timestamp() + make_interval(secs => $2::float8 / 1000))
  ON CONFLICT (account) DO UPDATE SET next_at = greatest(p.next_at, excluded.next_at)`

/** The pace of all processes that spend the same account, kept in one row of the database they share. */
export function sharedPace(database: Database, account: string): SharedPace {
  return {
    async reserve(spacingMs) {
      const [row] = await database.query<{ wait_ms: number }>(RESERVE, [account, spacingMs])
      return Math.max(0, row?.wait_ms ?? 0)
    },
    async pause(waitMs) {
      await database.query(PAUSE, [account, waitMs])
    },
  }
}
