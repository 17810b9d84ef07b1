import { applySchema, schemaVersion } from '../db/schema.ts'
import { counted } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { openDatabase } from '../stores.ts'
import { requireSettings } from './settings.ts'

const COUNT = 'SELECT count(*)::int AS known FROM plate_lookups WHERE response IS NOT NULL'

/** `plate-snapshot migrate`: brings the database to this version's schema; safe to run again. @returns the exit code */
export async function migrate(given: { json?: boolean }, shell: Shell): Promise<number> {
  const settings = await requireSettings(shell.env, { api: false, storage: false })
  const database = await openDatabase(settings.database)
  try {
    const before = await schemaVersion(database)
    await applySchema(database)
    const after = await schemaVersion(database)
    const known = (await database.query<{ known: number }>(COUNT))[0]?.known ?? 0
    if (given.json) {
      shell.out(JSON.stringify({ event: 'migrated', from: before, to: after, known }))
      return 0
    }
    const what = before === after ? `was at schema ${after} already` : `is now at schema ${after}`
    shell.out(`${database.name} ${what}.`)
    if (known > 0)
      shell.out(`The ledger knows ${counted(known, 'image')}, which will not be billed again.`)
    return 0
  } finally {
    await database.close()
  }
}
