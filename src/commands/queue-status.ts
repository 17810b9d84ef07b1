import type { PgBoss } from 'pg-boss'
import type { Settings } from '../config.ts'
import type { Database } from '../db/database.ts'
import { readQueueOverview } from '../queue/overview.ts'
import { queueLines, queueRecord } from '../queue-report.ts'
import type { Shell } from '../shell.ts'
import { readPaceShown } from './queue-pace.ts'

/** `plate-snapshot queue status`: what waits, is at work, done and failed, and how long it will take. @returns the exit code */
export async function tellStatus(
  database: Database,
  boss: PgBoss,
  settings: Settings,
  { json }: { json: boolean },
  shell: Shell,
): Promise<number> {
  const overview = await readQueueOverview(database, boss, settings.queueSchema)
  const { record, lines } = await readPaceShown(database, settings)
  if (json) shell.out(JSON.stringify(queueRecord(database.name, overview, record)))
  else for (const line of queueLines(database.name, overview, lines)) shell.out(line)
  return 0
}
