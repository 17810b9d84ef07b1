import type { Database } from '../../src/db/database.ts'

const WAITING = `SELECT 1 FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock'`

/** Does a statement in this database wait for what another transaction holds? */
export async function isSomebodyWaiting(database: Database): Promise<boolean> {
  return (await database.query(WAITING)).length > 0
}
