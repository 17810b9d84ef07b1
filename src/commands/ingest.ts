import { type Account, readAccount } from '../account.ts'
import { ConfigError, type ConfigProblem, messageOf } from '../errors.ts'
import { openFailedList } from '../failed-list.ts'
import { type OpenedList, openImageList } from '../image-list.ts'
import { runIngest } from '../ingest.ts'
import { readIngestOptions } from '../options.ts'
import { type Progress, showProgress, silentProgress } from '../progress.ts'
import {
  answersLines,
  counted,
  failureLines,
  imageRecord,
  leftLine,
  stopLines,
  summaryLines,
  summaryRecord,
} from '../run-report.ts'
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
  describe: (
    opened: Opened,
    account: Account | undefined,
    lines: number | undefined,
  ) => string = openLines,
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
  // Whether the API tells it or not, the lookups will show.
  const asking = isReal ? readAccount(settings.api, shell.signal).catch(() => undefined) : undefined
  const result = await runIngest(
    settings,
    options,
    list,
    {
      async onOpen(opened) {
        const toSay = quiet ? shell : progress
        toSay.say(describe(opened, await asking, list.count))
      },
      onNotice: (text) => (quiet ? shell : progress).say(text),
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

  const { tally, seconds, reason } = result
  if (reason !== undefined) shell.say(stopLines(reason))
  for (const line of [...leftLine(result), ...answersLines(result)]) shell.say(line)
  if (json) shell.out(JSON.stringify(summaryRecord(result, dryRun)))
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

/** Where rows and images go and what may be spent, before anything is. */
function openLines(
  { database, images }: Opened,
  account: Account | undefined,
  lines: number | undefined,
): string {
  const isNew = database.isNew ? ' (new and empty: every image will be billed)' : ''
  const where = [`Database: ${database.name}${isNew}.`]
  if (images !== undefined) where.push(`Images: ${images.name}.`)
  where.push(...creditLines(account, lines))
  if (images?.notice !== undefined) where.push(images.notice)
  return where.join(' ')
}

/** The lookups left, where the API tells, and whether they suffice. */
function creditLines(account: Account | undefined, lines: number | undefined): string[] {
  if (account?.used === undefined || account.allowed === undefined) return []
  const { used, allowed } = account
  const left = Math.max(0, allowed - used)
  const line = `Lookups left: ${left} of ${allowed}.`
  if (lines === undefined || lines <= left) return [line]
  return [
    line,
    `WARNING: the list has ${counted(lines, 'line')}; --dry-run counts how many of them are not known yet.`,
  ]
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
