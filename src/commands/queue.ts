import { requireThere } from '../db/schema.ts'
import { ConfigError } from '../errors.ts'
import { openQueue } from '../queue/install.ts'
import { readQueueOptions } from '../queue-options.ts'
import type { Shell } from '../shell.ts'
import { openDatabase } from '../stores.ts'
import { clear } from './queue-clear.ts'
import { listFailed } from './queue-failed.ts'
import { pace } from './queue-pace.ts'
import { retryFailed } from './queue-retry-failed.ts'
import { tellStatus } from './queue-status.ts'
import { requireSettings } from './settings.ts'

/** `plate-snapshot queue`: shows what waits and what failed, puts back, clears, changes the pace. @returns the exit code */
export async function queue(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readQueueOptions(given)
  // The pace is an account's, and the key tells whose.
  const api = options?.action === 'pace'
  const settings = await requireSettings(shell.env, { api, storage: false }, problems)
  if (options === undefined) throw new ConfigError(problems)
  const { queueSchema: schema } = settings
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireThere(database)
    // What fails in the background is of no use to anybody here.
    const boss = await openQueue(database, schema, () => {})
    try {
      switch (options.action) {
        case 'status':
          return await tellStatus(database, boss, settings, options, shell)
        case 'failed':
          return await listFailed(database, schema, options, shell)
        case 'retry-failed':
          return await retryFailed(database, boss, schema, options, shell)
        case 'clear':
          return await clear(database, boss, schema, options, shell)
        case 'pace':
          return await pace(database, settings, options.seconds, options, shell)
      }
    } finally {
      await boss.stop()
    }
  } finally {
    await database.close()
  }
}
