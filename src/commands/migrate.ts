import type { Database } from '../db/database.ts'
import { applySchema, schemaVersion } from '../db/schema.ts'
import { DatabaseError, messageOf, systemCodeOf } from '../errors.ts'
import { installQueue, type QueueSchema } from '../queue/install.ts'
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
    const queue = await queueOf(database, settings.queueSchema)
    const known = (await database.query<{ known: number }>(COUNT))[0]?.known ?? 0
    if (typeof queue !== 'string') {
      shell.say(`${queue.message} Only enqueue, work and queue need it. ${queue.hint}`)
    }
    if (given.json) {
      shell.out(
        JSON.stringify({
          event: 'migrated',
          ...{ from: before, to: after, known, queue: typeof queue === 'string' ? queue : null },
        }),
      )
      return 0
    }
    const what = before === after ? `was at schema ${after} already` : `is now at schema ${after}`
    shell.out(`${database.name} ${what}.`)
    if (queue === 'made') shell.out('The queue of enqueue and work is made.')
    if (queue === 'upgraded') shell.out("The queue is now at this pg-boss's version.")
    if (known > 0)
      shell.out(`The ledger knows ${counted(known, 'image')}, which will not be billed again.`)
    return 0
  } finally {
    await database.close()
  }
}

/** What became of the queue. A role may lack the right to make a schema, and most users need no queue: that stops nothing. */
async function queueOf(database: Database, schema: string): Promise<QueueSchema | DatabaseError> {
  try {
    return await installQueue(database, schema)
  } catch (thrown) {
    if (thrown instanceof DatabaseError && thrown.code === 'schema_old') return thrown
    const refused = thrown instanceof DatabaseError ? thrown.cause : thrown
    if (systemCodeOf(refused) !== '42501') throw thrown
    const message = `The queue's schema ${schema} cannot be made: ${messageOf(refused)}.`
    const hint = `Have its owner run: CREATE SCHEMA ${schema} AUTHORIZATION <role>, then run migrate again.`
    return new DatabaseError('schema_missing', message, { cause: thrown, hint })
  }
}
