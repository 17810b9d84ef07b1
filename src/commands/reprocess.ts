import { createAnswers, type KnownImage } from '../db/answers.ts'
import { requireSchema } from '../db/schema.ts'
import { ConfigError, DatabaseError, InterruptedError } from '../errors.ts'
import { meets } from '../filter.ts'
import { readReprocessOptions } from '../options.ts'
import { amendRows } from '../pipeline.ts'
import { counted, stopLines } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { openDatabase, openImageStore } from '../stores.ts'
import { exitCodeOf } from '../tally.ts'
import { requireSettings } from './settings.ts'

const NO_BYTES = async () => {}

/**
 * `plate-snapshot reprocess`: gives every known image the rows that a threshold allows, and takes away those that no
 * longer pass, from the stored answers: nothing is looked up. @returns the exit code
 */
export async function reprocess(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readReprocessOptions(given)
  const settings = await requireSettings(shell.env, { api: false, storage: true }, problems)
  if (options === undefined) throw new ConfigError(problems)
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireSchema(database)
    const images = await openImageStore(settings.storage, NO_BYTES)
    const answers = createAnswers(database)
    const keeps = meets(options.confidenceThreshold)
    const done = { images: 0, added: 0, removed: 0 }
    let failed = 0
    if (!options.quiet) shell.say(`Database: ${database.name}`)
    for await (const known of answers.known()) {
      if (shell.signal.aborted) break
      const { missing, surplus } = changesOf(known, keeps)
      done.images += 1
      try {
        await amendRows(known, missing, surplus, { images, amend: answers.amend })
      } catch (thrown) {
        // Too much for rows; the others are none the worse for it.
        if (!(thrown instanceof DatabaseError) || thrown.code !== 'answer_unusable') throw thrown
        shell.say(stopLines(thrown))
        failed += 1
        continue
      }
      done.added += missing.length
      done.removed += surplus.length
    }
    images.close()
    const stopped = shell.signal.aborted ? 'interrupted' : null
    if (options.json) shell.out(JSON.stringify({ event: 'reprocessed', ...done, stopped }))
    else {
      const rows = `${counted(done.added, 'row')} added, ${counted(done.removed, 'row')} removed`
      const at = `at confidence threshold ${options.confidenceThreshold}`
      shell.out(`${counted(done.images, 'known image')} ${at}: ${rows}; nothing was looked up.`)
    }
    const reason = stopped === null ? undefined : new InterruptedError()
    if (reason !== undefined) shell.say(stopLines(reason))
    return exitCodeOf({ failed }, reason, shell.stoppedBy())
  } finally {
    await database.close()
  }
}

function changesOf({ snapshot, rowPlaces }: KnownImage, keeps: ReturnType<typeof meets>) {
  const kept = snapshot.readings.filter(keeps)
  const keptPlaces = new Set(kept.map(({ index }) => index))
  return {
    missing: kept.filter(({ index }) => !rowPlaces.includes(index)),
    surplus: rowPlaces.filter((place) => !keptPlaces.has(place)),
  }
}
