import type { PgBoss } from 'pg-boss'
import type { Database, Queryable } from '../db/database.ts'
import { type Statement, utc } from '../db/plates.ts'
import { DEAD_LETTERS, QUEUE, withinTransaction } from './boss.ts'

// What failed for good, each line a job of the dead letter queue that nobody fetches.

/** Lines put back at once. */
const BATCH = 1_000

/** Why it failed: a worker's word for it, or that of pg-boss when no worker was left to say anything. */
export const REASON = `CASE WHEN source_output ? 'code' THEN source_output->>'code'
  WHEN source_output ? 'value' THEN 'worker_lost' ELSE 'internal' END`
const MESSAGE = `coalesce(source_output->>'message', source_output#>>'{value,message}', source_output->>'value')`

/** Failed lines as `queue failed` gives them, in the order of `--csv`. */
const FAILED_COLUMNS = {
  source: `data->>'image'`,
  code: REASON,
  message: MESSAGE,
  tries: 'coalesce(source_retry_count, 0) + 1',
  failed_at: utc('created_on'),
} as const

/** The lines that failed for good, the oldest first; `source` is the line as it was put, secrets included. */
export function failedStatement(
  schema: string,
  { reason, limit }: { reason?: readonly string[] | undefined; limit?: number | undefined },
): Statement {
  const columns = Object.entries(FAILED_COLUMNS).map(([name, of]) => `${of} AS ${name}`)
  const sql = `SELECT ${columns.join(', ')} FROM ${schema}.job
    WHERE name = $1 AND state < 'active' AND ($2::text[] IS NULL OR ${REASON} = ANY ($2::text[]))
    ORDER BY created_on, id LIMIT $3::int`
  return { sql, values: [DEAD_LETTERS, reason ?? null, limit ?? null] }
}

/** What failed before $3, for one of the reasons $2, from the last of the batch before on. */
const NEXT = (schema: string) => `SELECT id, created_on::text AS at FROM ${schema}.job
  WHERE name = $1 AND state < 'active' AND ($2::text[] IS NULL OR ${REASON} = ANY ($2::text[]))
    AND created_on < $3::timestamptz AND (created_on, id) > ($4::timestamptz, $5::uuid)
  ORDER BY created_on, id LIMIT ${BATCH}`
/** Without a key no two would fit into the queue: of jobs that other programs put. */
const GIVE_KEYS = (schema: string) => `UPDATE ${schema}.job SET singleton_key = id
  WHERE name = $1 AND id = ANY ($2::uuid[]) AND singleton_key IS NULL`
const CONFLICTING = (schema: string) =>
  `SELECT id FROM ${schema}.job WHERE name = $1 AND id = ANY ($2::uuid[]) AND state = 'failed'`

/** Of failed lines: `retried` are in the queue again, `waiting` were there already. */
export interface PutBack {
  retried: number
  waiting: number
}

/**
 * Puts what has failed for good so far back into the queue, with fresh tries. A line that waits there already is only
 * forgotten as a failed one.
 * @returns batches, each whole or not done
 */
export async function* putBack(
  database: Database,
  boss: PgBoss,
  schema: string,
  reason: readonly string[] | undefined,
): AsyncGenerator<PutBack> {
  // What fails again meanwhile is not to go round for ever.
  const [{ now } = { now: 'now' }] = await database.query<{ now: string }>(
    'SELECT clock_timestamp()::text AS now',
  )
  let last = { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' }
  for (;;) {
    const values = [DEAD_LETTERS, reason ?? null, now, last.at, last.id]
    const found = await database.query<{ id: string; at: string }>(NEXT(schema), values)
    const ids = found.map(({ id }) => id)
    if (ids.length === 0) return
    last = found.at(-1) ?? last
    yield await database.transaction((transaction) => retry(transaction, boss, schema, ids))
  }
}

async function retry(
  transaction: Queryable,
  boss: PgBoss,
  schema: string,
  ids: string[],
): Promise<PutBack> {
  const within = withinTransaction(transaction)
  await transaction.query(GIVE_KEYS(schema), [DEAD_LETTERS, ids])
  const to = { ids, limit: ids.length, destination: QUEUE }
  const retried = await boss.redrive(DEAD_LETTERS, { ...to, ...within })
  // pg-boss lets these stay as failed jobs for a week, their links with them.
  const conflicting = await transaction.query<{ id: string }>(CONFLICTING(schema), [
    DEAD_LETTERS,
    ids,
  ])
  const waiting = conflicting.map(({ id }) => id)
  if (waiting.length > 0) await boss.deleteJob(DEAD_LETTERS, waiting, within)
  return { retried, waiting: waiting.length }
}
