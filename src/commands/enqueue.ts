import { batchesOf } from '../batches.ts'
import { requireSchema } from '../db/schema.ts'
import { ConfigError, InterruptedError } from '../errors.ts'
import { readEnqueueOptions, wantedOf } from '../options.ts'
import { QUEUE } from '../queue/boss.ts'
import { openQueue } from '../queue/install.ts'
import { toJob } from '../queue/job.ts'
import { counted, problemLines, stopLines } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { openDatabase } from '../stores.ts'
import { exitCodeOf, stoppedBy } from '../tally.ts'
import { wantedOfLine } from '../wanted.ts'
import { openList, sayRecent } from './ingest.ts'
import { requireSettings } from './settings.ts'

/** Lines put by one statement. */
const MOST_LINES = 1_000
/** How often it says where it is, in milliseconds. */
const TELL_EVERY_MS = 10_000

/**
 * `plate-snapshot enqueue`: puts the lines of a list into the queue, for any number of workers. A line that waits already, or
 * is at work, is not put twice. @returns the exit code
 */
export async function enqueue(given: Record<string, unknown>, shell: Shell): Promise<number> {
  const { options, problems } = readEnqueueOptions(given)
  const list = await openList(given['images'], shell, {
    settle: options?.settle,
    timezone: options?.timezone,
  })
  const wrong = [...problems, ...('problems' in list ? list.problems : [])]
  const settings = await requireSettings(shell.env, { api: false, storage: false }, wrong)
  if (options === undefined || 'problems' in list) throw new ConfigError(wrong)
  const { json, quiet, cameraFromPath } = options
  const database = await openDatabase(settings.database)
  try {
    await requireSchema(database)
    if (!quiet) shell.say(`Database: ${database.name}`)
    const boss = await openQueue(database, settings.queueSchema, () => {})
    const done = { lines: 0, new: 0 }
    let bad = 0
    let toldAt = performance.now()
    let reason: unknown
    try {
      const wanted = wantedOf(options)
      for await (const refs of batchesOf(list.images(shell.signal), MOST_LINES)) {
        const wrong = refs.filter(({ problem }) => problem !== undefined)
        const good = refs.filter(({ problem }) => problem === undefined)
        const jobs = good.map((ref) => toJob(ref, wantedOfLine(ref, wanted, cameraFromPath)))
        const ids = await boss.insert(QUEUE, jobs, { returnId: true })
        done.lines += good.length
        bad += wrong.length
        for (const ref of wrong) shell.say(problemLines(ref))
        done.new += ids?.length ?? 0
        if (quiet || performance.now() - toldAt < TELL_EVERY_MS) continue
        toldAt = performance.now()
        shell.say(`${counted(done.lines, 'line')} read, ${counted(done.new, 'new job')}.`)
      }
      const hint = 'What is in the queue stays there; run the same command again for the rest.'
      if (shell.signal.aborted) reason = new InterruptedError({ hint })
    } catch (thrown) {
      reason = thrown
    } finally {
      await boss.stop()
    }
    const waiting = done.lines - done.new
    const stopped = reason === undefined ? null : (stoppedBy(reason) ?? 'internal')
    if (!quiet) sayRecent(list, options, shell)
    if (json) {
      shell.out(JSON.stringify({ event: 'enqueued', ...done, waiting, failed: bad, stopped }))
    } else {
      const others = waiting === 0 ? '' : `, ${counted(waiting, 'line')} waiting already`
      shell.out(`${counted(done.new, 'new job')}${others}.`)
    }
    if (reason !== undefined) shell.say(stopLines(reason))
    return exitCodeOf({ failed: bad }, reason, shell.stoppedBy())
  } finally {
    await database.close()
  }
}
