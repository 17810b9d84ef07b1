import { ConfigError, type ConfigProblem, messageOf } from '../errors.ts'
import { openFailedList } from '../failed-list.ts'
import { type OpenedList, openImageList } from '../image-list.ts'
import { runIngest } from '../ingest.ts'
import { readIngestOptions } from '../options.ts'
import { type Progress, showProgress, silentProgress } from '../progress.ts'
import { failureLines, imageRecord, stopLines, summaryLines, summaryRecord } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { exitCodeOf } from '../tally.ts'
import type { Opened } from '../wiring.ts'
import { requireSettings } from './settings.ts'

/** Failed images that a quiet run lists with its summary; the rest are only counted. */
const MOST_LISTED = 20
/** A shorter wait than this, in milliseconds, is nothing to tell. */
const WORTH_TELLING_MS = 5_000

/**
 * `plate-snapshot ingest`: takes every line of the list through the pipeline.
 * @param describe says where rows and images go, before anything is spent
 * @returns the exit code
 */
export async function ingest(
  given: Record<string, unknown>,
  shell: Shell,
  describe: (opened: Opened) => string = openLines,
): Promise<number> {
  const { options, problems } = readIngestOptions(given)
  // A dry run asks nothing and stores nothing.
  const isReal = given['dryRun'] !== true
  const list = await openList(given['images'], shell)
  const wrong = [...problems, ...('problems' in list ? list.problems : [])]
  const settings = await requireSettings(shell.env, { api: isReal, storage: isReal }, wrong)
  if (options === undefined || 'problems' in list) throw new ConfigError(wrong)
  const failed =
    options.failed === undefined ? undefined : await openFailedList(options.failed, options.images)

  const { dryRun, json, quiet } = options
  const listed: string[] = []
  const progress = quiet
    ? silentProgress((text) => void (listed.length < MOST_LISTED && listed.push(text)))
    : showProgress(shell, list.count)
  const { tally, seconds, reason } = await runIngest(
    settings,
    options,
    list,
    {
      onOpen: (opened) => (quiet ? shell : progress).say(describe(opened)),
      onOutcome: (outcome, soFar) => {
        if (json) shell.out(JSON.stringify(imageRecord(outcome)))
        if (outcome.outcome === 'failed') {
          failed?.add(outcome.ref.text)
          progress.say(failureLines(outcome.ref, outcome.error))
        }
        progress.update(soFar)
      },
      onThrottled: waitTeller(progress),
    },
    shell.signal,
  )
  progress.stop()

  if (reason !== undefined) shell.say(stopLines(reason))
  if (json) shell.out(JSON.stringify(summaryRecord(tally, seconds, reason, dryRun)))
  else if (tally.images > 0 || reason === undefined) {
    for (const line of summaryLines(tally, seconds, dryRun)) shell.out(line)
  }
  for (const text of listed) shell.say(text)
  if (quiet && tally.failed > listed.length) {
    shell.say(`… and ${tally.failed - listed.length} more; --failed <file> writes them all.`)
  }
  const exitCode = exitCodeOf(tally, reason, shell.stoppedBy())
  try {
    await failed?.close(reason === undefined)
    return exitCode
  } catch (thrown) {
    shell.say(`${options.failed} is not complete: ${messageOf(thrown)}. Run the same list again.`)
    return exitCode === 0 ? 1 : exitCode
  }
}

/** The list, or why it cannot be read: that is reported together with wrong settings. */
async function openList(
  path: unknown,
  shell: Shell,
): Promise<OpenedList | { problems: readonly ConfigProblem[] }> {
  // That none is named is told with the other flags.
  if (typeof path !== 'string' || path === '') return { problems: [] }
  try {
    return await openImageList(path, shell.input)
  } catch (thrown) {
    if (thrown instanceof ConfigError) return { problems: thrown.problems }
    throw thrown
  }
}

/** Where rows and images go, before anything is spent. */
function openLines({ database, images }: Opened): string {
  const lines = [
    `Database: ${database.name}${database.isNew ? '. It is new and empty: every image will be billed.' : ''}`,
  ]
  if (images !== undefined) lines.push(`Images: ${images.name}`)
  if (images?.notice !== undefined) lines.push(images.notice)
  return lines.join('\n')
}

/** Says once that everybody waits, however many lookups were told to. */
function waitTeller(progress: Progress): (waitMs: number) => void {
  let toldUntil = 0
  return (waitMs) => {
    const now = performance.now()
    if (waitMs < WORTH_TELLING_MS || now < toldUntil) return
    toldUntil = now + waitMs
    progress.say(`The API asks to wait ${Math.ceil(waitMs / 1_000)} s (429); all lookups wait.`)
  }
}
