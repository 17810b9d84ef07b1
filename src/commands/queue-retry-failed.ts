import type { PgBoss } from 'pg-boss'
import type { Database } from '../db/database.ts'
import { InterruptedError } from '../errors.ts'
import { type PutBack, putBack } from '../queue/dead-letters.ts'
import { counted, stopLines } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { exitCodeOf, stoppedBy } from '../tally.ts'

/** How often it says where it is, in milliseconds. */
const TELL_EVERY_MS = 10_000

/**
 * `plate-snapshot queue retry-failed`: puts what failed for good back into the queue, all of it or what failed for some
 * reasons. @returns the exit code
 */
export async function retryFailed(
  database: Database,
  boss: PgBoss,
  schema: string,
  { reason: codes, json }: { reason?: string[] | undefined; json: boolean },
  shell: Shell,
): Promise<number> {
  const done: PutBack = { retried: 0, waiting: 0 }
  let toldAt = performance.now()
  let reason: unknown
  try {
    for await (const { retried, waiting } of putBack(database, boss, schema, codes)) {
      done.retried += retried
      done.waiting += waiting
      if (shell.signal.aborted) {
        const hint =
          'What is back in the queue stays there; run the same command again for the rest.'
        reason = new InterruptedError({ hint })
        break
      }
      if (performance.now() - toldAt < TELL_EVERY_MS) continue
      toldAt = performance.now()
      shell.say(`${counted(done.retried, 'line')} put back so far.`)
    }
  } catch (thrown) {
    reason = thrown
  }
  const stopped = reason === undefined ? null : (stoppedBy(reason) ?? 'internal')
  if (json) shell.out(JSON.stringify({ event: 'retried', ...done, stopped }))
  else for (const line of retriedLines(done, codes !== undefined)) shell.out(line)
  if (reason !== undefined) shell.say(stopLines(reason))
  return exitCodeOf({ failed: 0 }, reason, shell.stoppedBy())
}

function retriedLines({ retried, waiting }: PutBack, isFiltered: boolean): string[] {
  if (retried + waiting === 0) return [`No line failed for ${isFiltered ? 'that reason' : 'good'}.`]
  const back = `${counted(retried, 'line')} back in the queue, with fresh tries.`
  if (waiting === 0) return [back]
  const [were, they] = waiting === 1 ? ['was', 'it waits'] : ['were', 'they wait']
  return [
    back,
    `${counted(waiting, 'line')} ${were} not put back, since ${they} in the queue already.`,
  ]
}
