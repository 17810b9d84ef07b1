import { eachAtOnce } from '../at-once.ts'
import type { Environment } from '../config.ts'
import type { Database } from '../db/database.ts'
import {
  NOTHING,
  type Purged,
  type Purging,
  purgeImages,
  reclaimSpace,
  sumOf,
} from '../db/purge.ts'
import type { PurgeFilter } from '../db/purge-match.ts'
import { countInS3, countInUse, previewPurge } from '../db/purge-preview.ts'
import { requireThere } from '../db/schema.ts'
import { ConfigError, DatabaseError, InterruptedError } from '../errors.ts'
import { likePattern } from '../plate-pattern.ts'
import { previewLines, purgedLines, purgeRecord, whichImages } from '../purge-report.ts'
import { counted, stopLines } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import type { Objects } from '../storage/objects.ts'
import { s3SettingsOf } from '../stored-bytes.ts'
import { openDatabase } from '../stores.ts'
import { exitCodeOf, stoppedBy } from '../tally.ts'
import { type PurgeOptions, readPurgeOptions } from '../viewing-options.ts'
import { requireS3, requireSettings } from './settings.ts'

/** Objects deleted at once. */
const AT_ONCE = 8
/** How often a purge says where it is, in milliseconds. */
const TELL_EVERY_MS = 10_000
/** A batch that was begun is finished, whatever comes. */
const NEVER = new AbortController().signal

/**
 * `plate-snapshot purge`: deletes images for good, with all that is known of them; without `--yes` it only says what
 * would go. @returns the exit code: 1 when images stayed because a run is at work on them
 */
export async function purge(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readPurgeOptions(given)
  const settings = await requireSettings(shell.env, { api: false, storage: true }, problems)
  if (options === undefined) throw new ConfigError(problems)
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireThere(database)
    shell.say(`Database: ${database.name}`)
    const filter = filterOf(options)
    const run = options.yes ? purgeNow : preview
    return await run(database, filter, options, shell)
  } finally {
    await database.close()
  }
}

function filterOf({ olderThan, camera, plate }: PurgeOptions): PurgeFilter {
  return {
    before: olderThan === undefined ? undefined : new Date(Date.now() - olderThan),
    cameras: camera,
    plates: plate?.map(likePattern),
  }
}

async function preview(
  database: Database,
  filter: PurgeFilter,
  options: PurgeOptions,
  shell: Shell,
): Promise<number> {
  const found = await previewPurge(database, filter)
  const tombstones = options.tombstone ? found.tombstones : 0
  if (options.json) shell.out(JSON.stringify(purgeRecord({ ...found, tombstones }, true, null)))
  else for (const line of previewLines(found, whichImages(options, filter.before))) shell.out(line)
  if (found.objects > 0 && s3SettingsOf(shell.env) === undefined) {
    shell.say(storeMissing(found.objects).message)
  }
  return exitCodeOf({ failed: found.inUse }, undefined, shell.stoppedBy())
}

async function purgeNow(
  database: Database,
  filter: PurgeFilter,
  options: PurgeOptions,
  shell: Shell,
): Promise<number> {
  const inS3 = await countInS3(database, filter)
  if (inS3 > 0 && !shell.env['S3_BUCKET']) throw storeMissing(inS3)
  const objects = inS3 === 0 ? undefined : await openBucket(shell.env)
  if (objects !== undefined) shell.say(`Images: ${objects.name}`)
  const remove: Purging['remove'] = async (named) => {
    if (objects !== undefined) await eachAtOnce(named, AT_ONCE, objects.remove)
    else if (named.length > 0) throw storeMissing(named.length)
  }
  const purging = { filter, remove, leavesTombstones: options.tombstone }
  let done = NOTHING
  const reason = await endOf(database, purging, shell, (batch) => {
    done = sumOf(done, batch)
    return done
  })
  objects?.close()

  const inUse = reason instanceof DatabaseError ? 0 : await countInUse(database, filter)
  const stopped = reason === undefined ? null : (stoppedBy(reason) ?? 'internal')
  const told = { ...done, inUse }
  if (options.json) shell.out(JSON.stringify(purgeRecord(told, false, stopped)))
  else for (const line of purgedLines(told, whichImages(options, filter.before))) shell.out(line)
  if (reason !== undefined) shell.say(stopLines(reason))
  return exitCodeOf({ failed: inUse }, reason, shell.stoppedBy())
}

/** @returns what ended it early; undefined when all is gone that was to go */
async function endOf(
  database: Database,
  purging: Purging,
  shell: Shell,
  onBatch: (batch: Purged) => Purged,
): Promise<unknown> {
  let isAny = false
  let toldAt = performance.now()
  try {
    for await (const batch of purgeImages(database, purging)) {
      const { images } = onBatch(batch)
      isAny = images > 0
      if (shell.signal.aborted) break
      if (performance.now() - toldAt < TELL_EVERY_MS) continue
      toldAt = performance.now()
      shell.say(`${counted(images, 'image')} purged so far.`)
    }
    if (isAny) await reclaimSpace(database)
  } catch (thrown) {
    return thrown
  }
  const hint = 'What is purged is purged; run the same purge again to go on.'
  return shell.signal.aborted ? new InterruptedError({ hint }) : undefined
}

async function openBucket(env: Environment): Promise<Objects> {
  const { openObjects } = await import('../storage/objects.ts')
  return openObjects(await requireS3(env), NEVER)
}

/** A row that is gone while its object is there would be an image that nobody knows of. */
function storeMissing(images: number): ConfigError {
  const message = `is not set, and ${counted(images, 'object')} of these images would stay behind in S3: set it and the AWS settings as for the run that stored them.`
  return new ConfigError([{ name: 'S3_BUCKET', message }])
}
