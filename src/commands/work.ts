import { ConfigError } from '../errors.ts'
import { readWorkOptions } from '../options.ts'
import type { Shell } from '../shell.ts'
import { exitCodeOf } from '../tally.ts'
import { runWork } from '../work.ts'
import { requireSettings } from './settings.ts'
import { openLines, tellRun } from './tell-run.ts'

/**
 * `plate-snapshot work`: takes jobs of the queue through the pipeline, beside any number of others that do the same.
 * @returns the exit code
 */
export async function work(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readWorkOptions(given)
  const needs = {
    api: true,
    storage: true,
    allowInsecureApi: options?.allowInsecureApi ?? false,
  }
  const settings = await requireSettings(shell.env, needs, problems)
  if (options === undefined) throw new ConfigError(problems)
  const { json, quiet } = options
  const { tally, reason } = await tellRun(
    {
      ...{ json, quiet, isDryRun: false, lines: undefined },
      ...{ api: settings.api, describe: openLines },
      nothing: 'No job was taken.',
      allFailed: 'plate-snapshot queue failed lists those that failed for good.',
      onFailed: () => {},
    },
    shell,
    (events) => runWork(settings, options, events, shell.signal),
  )
  return exitCodeOf(tally, reason, shell.stoppedBy())
}
