import { HEAR_EVERY_MS } from '../moments.ts'
import type { Database } from './database.ts'
import { IS_ALIVE } from './ledger-statements.ts'
import {
  DELAY,
  enterAccount,
  LEARNED,
  msFromNow,
  PAUSED,
  RUNS,
  UNSET_DELAY_MS,
} from './pace-row.ts'

/** What is worth telling of an account's pace, on the database's clock. All times in milliseconds. */
export interface AccountPace {
  /** What the workers of the account keep to, set or not. */
  delayMs: number
  /** What all keep to at present: the longest of the workers' delay, those of runs, and what is learned; 0 for nothing. */
  keptMs: number
  /** Between the moments that were taken last; undefined when none ever was. */
  spacingMs: number | undefined
  /** Living runs that keep to `delayMs`. */
  workers: number
  /** Living runs with a delay of their own, and the longest of these. */
  ingestRuns: number
  ingestDelayMs: number
  /** Learned from 429s, as long as somebody renews it. */
  learnedMs: number | undefined
  /** For so long nobody starts. */
  pausedMs: number
  /** The API refused the key, and nobody has begun to ask since. */
  refused: { status: number; agoMs: number } | undefined
}

/** Not the id of any run: who asks is none. */
const NOBODY = '00000000-0000-0000-0000-000000000000'
/** By then all who hold moments have heard that the later ones are no longer theirs. */
const ALL_HEARD_MS = HEAR_EVERY_MS + 1_000

const NEXT = msFromNow('p.next_at')
const NEW_SPACING = `greatest($3::float8, runs.delay_ms, ${LEARNED})`
/** The last moment that may be used before all have heard: moments lie a spacing apart. */
const LAST_USED = `${NEXT} - p.spacing_ms * ceil((${NEXT} - ${ALL_HEARD_MS}) / p.spacing_ms)`

/**
 * $3 delay in ms. Moments that were given far ahead, at a longer spacing, are taken back as soon as all can have heard of it;
 * those before that stay, and are kept away from.
 */
function setDelay(delay: string): string {
  return `WITH runs AS (${RUNS})
    UPDATE api_pace p SET delay_ms = ${delay},
      next_at = CASE WHEN ${NEW_SPACING} < p.spacing_ms AND ${NEXT} > ${ALL_HEARD_MS}
        THEN greatest(p.paused_until, clock_timestamp()
          + interval '1 ms' * greatest(${ALL_HEARD_MS}, ${LAST_USED} + ${NEW_SPACING}))
        ELSE p.next_at END
    FROM runs WHERE p.account = $1`
}

const SET = setDelay('$3')
const JOIN = setDelay(`CASE WHEN EXISTS (
    SELECT FROM ingest_runs r WHERE r.account = $1 AND r.delay_ms IS NULL AND r.id <> $2::uuid AND ${IS_ALIVE}
  ) THEN greatest($3, p.delay_ms) ELSE $3 END`)
const LOCK = 'SELECT 1 FROM api_pace WHERE account = $1 FOR UPDATE'
const BELONG = 'UPDATE ingest_runs SET account = $1 WHERE id = $2'

const IS_UNTRIED =
  'NOT EXISTS (SELECT FROM ingest_runs r WHERE r.account = $1 AND r.started_at > p.refused_at)'
const READ = `WITH runs AS (${RUNS})
  SELECT coalesce(p.delay_ms, ${UNSET_DELAY_MS}) AS "delayMs", greatest(${DELAY}, ${LEARNED}) AS "keptMs",
    p.spacing_ms AS "spacingMs", runs.workers, runs.runs - runs.workers AS "ingestRuns",
    runs.delay_ms AS "ingestDelayMs", nullif(${LEARNED}, 0) AS "learnedMs", greatest(0, ${PAUSED}) AS "pausedMs",
    CASE WHEN ${IS_UNTRIED} THEN p.refused_status END AS status, -${msFromNow('p.refused_at')} AS "agoMs"
  FROM runs LEFT JOIN api_pace p ON p.account = $1`

/**
 * A worker begins on the account, one after the other: of two that begin at once, one finds the other at work. The delay that
 * it was given holds for all workers; while others are at work, a longer one of theirs stays. Without one, it keeps to what
 * there is.
 * @param runId the worker's own run, which belongs to the account from now on
 */
export async function joinPace(
  database: Database,
  account: string,
  runId: string,
  delayMs: number | undefined,
): Promise<void> {
  await enterAccount(database, account)
  await database.transaction(async (transaction) => {
    await transaction.query(LOCK, [account])
    if (delayMs !== undefined) await transaction.query(JOIN, [account, runId, delayMs])
    await transaction.query(BELONG, [account, runId])
  })
}

/**
 * The delay of all workers of the account from now on, those at work included. A shorter one takes effect within seconds,
 * however far ahead the moments were given.
 */
export async function setPace(database: Database, account: string, delayMs: number): Promise<void> {
  await enterAccount(database, account)
  await database.query(SET, [account, NOBODY, delayMs])
}

type AccountRow = Omit<AccountPace, 'spacingMs' | 'learnedMs' | 'refused'> & {
  spacingMs: number | null
  learnedMs: number | null
  status: number | null
  agoMs: number
}

/** Reads what there is to tell of the account's pace; also of an account that nobody has used. */
export async function readPace(database: Database, account: string): Promise<AccountPace> {
  const [row] = await database.query<AccountRow>(READ, [account, NOBODY])
  if (row === undefined) throw new Error('An account has one row, used or not.')
  const { spacingMs, learnedMs, status, agoMs, ...pace } = row
  return {
    ...pace,
    spacingMs: spacingMs ?? undefined,
    learnedMs: learnedMs ?? undefined,
    refused: status === null ? undefined : { status, agoMs },
  }
}
