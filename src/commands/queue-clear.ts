import type { PgBoss } from 'pg-boss'
import type { Database } from '../db/database.ts'
import { DEAD_LETTERS, QUEUE } from '../queue/boss.ts'
import { readQueueOverview } from '../queue/overview.ts'
import { totalOf } from '../queue-report.ts'
import { counted } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { exitCodeOf } from '../tally.ts'

/**
 * `plate-snapshot queue clear`: deletes the lines that wait, or with `failed` those that failed for good; without `yes` it
 * only says what would go. @returns the exit code
 */
export async function clear(
  database: Database,
  boss: PgBoss,
  schema: string,
  { failed, yes, json }: { failed: boolean; yes: boolean; json: boolean },
  shell: Shell,
): Promise<number> {
  shell.say(`Database: ${database.name}`)
  const deleted = yes ? await boss.deleteQueuedJobs(failed ? DEAD_LETTERS : QUEUE) : undefined
  const overview = await readQueueOverview(database, boss, schema)
  const lines = deleted ?? (failed ? totalOf(overview) : overview.waiting)
  const what = failed ? 'failed' : 'waiting'
  const atWork = failed ? 0 : overview.atWork
  const told = { event: 'cleared', what, lines, at_work: atWork, dry_run: !yes }
  if (json) shell.out(JSON.stringify(told))
  else {
    const which = counted(lines, failed ? 'failed line' : 'waiting line')
    if (yes) shell.out(`Deleted ${which}.`)
    else shell.out(lines === 0 ? 'Nothing is to be deleted.' : `This would delete ${which}.`)
    if (atWork > 0) shell.out(`${counted(atWork, 'line')} at work: not touched.`)
    if (!yes && lines > 0) shell.out('Nothing was changed. Run it again with --yes to delete.')
  }
  return exitCodeOf({ failed: 0 }, undefined, shell.stoppedBy())
}
