import { readOverview } from '../db/overview.ts'
import { requireSchema } from '../db/schema.ts'
import { localZone } from '../local-time.ts'
import type { Shell } from '../shell.ts'
import { statusLines, statusRecord } from '../status-report.ts'
import { openDatabase } from '../stores.ts'
import { requireSettings } from './settings.ts'

/** `plate-snapshot status`: what the database holds, what failed, and how the last run went. @returns the exit code */
export async function status(given: { json?: boolean }, shell: Shell): Promise<number> {
  const settings = await requireSettings(shell.env, { api: false, storage: false })
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    if (database.isNew && !given.json) {
      shell.out(`${database.name} is not there yet; the first run makes it.`)
      return 0
    }
    await requireSchema(database)
    const overview = await readOverview(database, localZone())
    if (given.json) shell.out(JSON.stringify(statusRecord(database, overview)))
    else for (const line of statusLines(database.name, overview)) shell.out(line)
    return 0
  } finally {
    await database.close()
  }
}
