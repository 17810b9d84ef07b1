import type { Database } from '../db/database.ts'
import { redactSource } from '../source.ts'
import { QUEUE } from './boss.ts'

// What is read and tidied in pg-boss's table of jobs, whose columns its documentation names.

/** In the words of pg-boss's own index. */
const IS_EMPTY = (schema: string) => `SELECT NOT EXISTS (
  SELECT FROM ${schema}.job WHERE name = $1 AND state IN ('created', 'retry', 'active')) AS empty`

/** Does no line wait, and is none at work anywhere? */
export async function isEmpty(database: Database, schema: string): Promise<boolean> {
  const [row] = await database.query<{ empty: boolean }>(IS_EMPTY(schema), [QUEUE])
  return row?.empty === true
}

/** $2 jobs [{id, source}]. Only of those that are done: what waits has to be fetched yet, here or among the dead letters. */
const FORGET = (schema: string) => `
  UPDATE ${schema}.job j SET data = j.data || jsonb_build_object('image', d.source, 'is_redacted', true)
  FROM jsonb_to_recordset($2::jsonb) AS d (id uuid, source text)
  WHERE j.name = $1 AND j.id = d.id AND j.state >= 'completed'`
/** What others have left that died, or never came to it; $2 done within so many seconds. A URL with neither has no secret. */
const LEFT = (schema: string) => `
  SELECT id, data->>'image' AS image FROM ${schema}.job
  WHERE name = $1 AND completed_on > now() - make_interval(secs => $2)
    AND data->>'image' ~ '[?@#]' AND NOT data ? 'is_redacted' AND state >= 'completed'`

/** How often links of jobs that are done are forgotten, in milliseconds; those that others have left, at every so manyth turn. */
const FORGET_EVERY_MS = 2_000
const LEFT_EVERY = 150
const LEFT_WITHIN_S = 900

/** A job whose link must not outlive it, and what stays of the link. */
interface DoneJob {
  id: string
  source: string
}

/**
 * Takes the signatures and passwords out of the links of jobs that are done: soon after, and of all of them at its end.
 * What workers that died have left goes when the next begins, and every five minutes.
 */
export function createForgetting(database: Database, schema: string) {
  /** A job is settled just after it is added: it is come back to at the next turn but one. */
  let justDone: DoneJob[] = []
  let done: DoneJob[] = []
  let turns = 0

  async function leftByOthers(): Promise<DoneJob[]> {
    const values = [QUEUE, LEFT_WITHIN_S]
    const left = await database.query<{ id: string; image: string }>(LEFT(schema), values)
    return left.map(({ id, image }) => ({ id, source: redactSource(image) }))
  }

  async function forget(): Promise<void> {
    const turn = done
    done = justDone
    justDone = []
    try {
      if (turns % LEFT_EVERY === 0) turn.push(...(await leftByOthers()))
      turns += 1
      if (turn.length > 0) await database.query(FORGET(schema), [QUEUE, JSON.stringify(turn)])
    } catch {
      done.push(...turn)
    }
  }
  const timer = setInterval(forget, FORGET_EVERY_MS)
  timer.unref()
  return {
    add: (job: DoneJob) => void justDone.push(job),
    async end() {
      clearInterval(timer)
      await forget()
      await forget()
    },
  }
}
