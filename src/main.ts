import { Command, CommanderError, Option } from 'commander'
import { IngestError } from './errors.ts'
import { defaultOf, type Flag, INGEST_FLAGS, type IngestOptions } from './options.ts'
import { stopLines } from './run-report.ts'
import type { Shell } from './shell.ts'
import { exitCodeOf } from './tally.ts'

type Action = (given: Record<string, unknown>, shell: Shell) => Promise<number>

/** Runs the command line. @returns the exit code: 0 to 3, 130 or 143, as the README's table has them */
export async function main(args: readonly string[], shell: Shell): Promise<number> {
  let exitCode = 0
  const does = (load: () => Promise<Action>) => async (given: Record<string, unknown>) => {
    const action = await load()
    exitCode = await action(given, shell)
  }
  const program = describeCommands(does, shell)
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
    shell.say(stopLines(thrown))
    if (!(thrown instanceof IngestError) && thrown instanceof Error) shell.say(thrown.stack ?? '')
    return exitCodeOf({ failed: 0 }, thrown, shell.stoppedBy())
  }
}

/** A command's code is loaded when the command is used: `--help` needs none of it. */
function describeCommands(
  does: (load: () => Promise<Action>) => (given: Record<string, unknown>) => Promise<void>,
  shell: Shell,
) {
  const program = new Command('plate-snapshot')
    .description(
      'Reads a list of images, asks the Plate Recognizer Snapshot API about each once, and keeps what was seen in PostgreSQL.',
    )
    .version(shell.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.out(text.trimEnd()),
      writeErr: (text) => shell.say(text.trimEnd()),
    })

  const ingest = program
    .command('ingest', { isDefault: true })
    .description(
      'take every line of a list through: fetch, store, look up, insert (the default command)',
    )
    .action(does(async () => (await import('./commands/ingest.ts')).ingest))
  for (const [option, flag] of ingestFlags()) ingest.addOption(toOption(option, flag))

  const json = new Option('--json', 'for machines: one JSON object a line')
  program
    .command('migrate')
    .description("bring the database to this version's schema; safe to run again")
    .addOption(json)
    .action(does(async () => (await import('./commands/migrate.ts')).migrate))
  program
    .command('check')
    .description('do the API key, the database and the image store work? Spends no lookup')
    .addOption(json)
    .action(does(async () => (await import('./commands/check.ts')).check))
  program
    .command('reprocess')
    .description('give every known image the rows that a threshold allows, from stored answers')
    .addOption(toOption('confidenceThreshold', INGEST_FLAGS.confidenceThreshold))
    .addOption(json)
    .addOption(toOption('quiet', INGEST_FLAGS.quiet))
    .action(does(async () => (await import('./commands/reprocess.ts')).reprocess))
  program
    .command('demo')
    .description(
      'try it without an account: sample pictures, a local stand-in for the API, a database in ./plate-snapshot-demo',
    )
    .action(does(async () => (await import('./commands/demo.ts')).demo))

  // The default command's flags are what most people look for.
  const flags = [...ingestFlags()].map(([option, flag]) => helpLine(toOption(option, flag)))
  program.addHelpText(
    'after',
    `\nOptions of ingest:\n${flags.join('\n')}\n\nSettings come from the environment or from .env; the README lists them.`,
  )
  return program
}

function* ingestFlags(): Generator<[keyof IngestOptions, Flag]> {
  for (const [option, flag] of Object.entries(INGEST_FLAGS)) {
    if (isIngestOption(option)) yield [option, flag]
  }
}

function isIngestOption(option: string): option is keyof IngestOptions {
  return option in INGEST_FLAGS
}

/** Defaults are the schema's to set; here they are only shown. */
function toOption(option: keyof IngestOptions, { flags, meaning }: Flag): Option {
  const value = defaultOf(option)
  const isShown = typeof value === 'number' || typeof value === 'string'
  return new Option(flags, isShown ? `${meaning} (default: ${value})` : meaning)
}

function helpLine({ flags, description }: Option): string {
  return `  ${flags.padEnd(34)} ${description}`
}
