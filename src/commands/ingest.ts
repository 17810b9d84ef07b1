import { ConfigError, type ConfigProblem, messageOf } from '../errors.ts'
import { openFailedList } from '../failed-list.ts'
import type { OpenedList } from '../image-list.ts'
import { runIngest } from '../ingest.ts'
import { type ListOptions, openImageList } from '../lists/open-list.ts'
import { readIngestOptions } from '../options.ts'
import { counted } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { exitCodeOf } from '../tally.ts'
import { requireSettings } from './settings.ts'
import { type Describe, openLines, tellRun } from './tell-run.ts'

/**
 * `plate-snapshot ingest`: takes every line of the list through the pipeline.
 * @param describe says where rows and images go, before anything is spent
 * @returns the exit code
 */
export async function ingest(
  given: Record<string, unknown>,
  shell: Shell,
  describe: Describe = openLines,
): Promise<number> {
  const { options, problems } = readIngestOptions(given)
  // A dry run asks nothing and stores nothing.
  const isReal = given['dryRun'] !== true
  const list = await openList(given['images'], shell, {
    settle: options?.settle,
    timezone: options?.timezone,
    exclude: options?.archive,
  })
  const wrong = [...problems, ...problemsOf(list, options?.local)]
  const settings = await requireSettings(
    shell.env,
    { api: isReal, storage: isReal, allowInsecureApi: given['allowInsecureApi'] === true },
    wrong,
  )
  if (options === undefined || 'problems' in list) throw new ConfigError(wrong)
  const failed =
    options.failed === undefined
      ? undefined
      : await openFailedList(options.failed, { ...list, path: options.images })

  const { dryRun, json, quiet } = options
  const result = await tellRun(
    {
      ...{ json, quiet, isDryRun: dryRun, lines: list.count },
      ...{ api: isReal ? settings.api : undefined, describe },
      allFailed: '--failed <file> writes them all.',
      onFailed: (ref) => failed?.add(ref),
    },
    shell,
    (events) => runIngest(settings, options, list, events, shell.signal),
  )
  if (!quiet) sayRecent(list, options, shell)
  const { tally, reason } = result
  const exitCode = exitCodeOf(tally, reason, shell.stoppedBy())
  try {
    await failed?.close(reason === undefined)
    return exitCode
  } catch (thrown) {
    shell.say(`${options.failed} is not complete: ${messageOf(thrown)}. Run the same list again.`)
    return exitCode === 0 ? 1 : exitCode
  }
}

/** What is wrong with a list, or with a list of its kind. */
function problemsOf(
  list: OpenedList | { problems: readonly ConfigProblem[] },
  isLocal: boolean | undefined,
): readonly ConfigProblem[] {
  if ('problems' in list) return list.problems
  if (list.kind !== 'tree' || isLocal !== false) return []
  return [{ name: '--no-local', message: 'refuses every path, and --images names a folder.' }]
}

/** Says how many files were left out because they may still be written. */
export function sayRecent(
  { recent }: OpenedList,
  { settle }: Required<Pick<ListOptions, 'settle'>>,
  shell: Shell,
): void {
  const left = recent?.() ?? 0
  if (left === 0) return
  shell.say(
    `${counted(left, 'file')} changed within the last ${settle} s, and ${left === 1 ? 'is' : 'are'} left for the next run (--settle).`,
  )
}

/** The list, or why it cannot be read: that is reported together with wrong settings. */
export async function openList(
  path: unknown,
  shell: Shell,
  options: ListOptions,
): Promise<OpenedList | { problems: readonly ConfigProblem[] }> {
  // That none is named is told with the other flags.
  if (typeof path !== 'string' || path === '') return { problems: [] }
  try {
    return await openImageList(path, shell.input, options)
  } catch (thrown) {
    if (thrown instanceof ConfigError) return { problems: thrown.problems }
    throw thrown
  }
}
