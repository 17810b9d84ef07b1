import { Command, CommanderError, Option } from 'commander'
import { defaultOf, type Flag, INGEST_FLAGS } from './options.ts'
import { stopLines } from './run-report.ts'
import type { Shell } from './shell.ts'
import { exitCodeOf } from './tally.ts'

type Action = (given: Record<string, unknown>, shell: Shell) => Promise<number>

/** One command: what it does, its flags, and its code, which is loaded when the command is used. */
interface CommandEntry {
  does: string
  flags: readonly Option[]
  load: () => Promise<Action>
}

const { confidenceThreshold, json, quiet } = INGEST_FLAGS
const VERIFY_FLAGS = {
  repair: { flags: '--repair', meaning: 'mend what can be mended without a lookup' },
  readData: { flags: '--read-data', meaning: 'read every stored image and hash it' },
}

/** Every command, as `--help` and the README's table show it. */
export const COMMANDS = {
  ingest: {
    does: 'take every line of a list through: fetch, store, look up, insert (the default command)',
    flags: Object.values(INGEST_FLAGS).map(toOption),
    load: async () => (await import('./commands/ingest.ts')).ingest,
  },
  migrate: {
    does: "bring the database to this version's schema; safe to run again",
    flags: [toOption(json)],
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  check: {
    does: 'do the API key, the database and the image store work? Spends no lookup',
    flags: [toOption(json)],
    load: async () => (await import('./commands/check.ts')).check,
  },
  reprocess: {
    does: 'give every known image the rows that a threshold allows, from stored answers',
    flags: [confidenceThreshold, json, quiet].map(toOption),
    load: async () => (await import('./commands/reprocess.ts')).reprocess,
  },
  verify: {
    does: 'is every image stored and whole, and do rows and ledger agree? Spends no lookup; --repair mends what it can',
    flags: [...Object.values(VERIFY_FLAGS), json].map(toOption),
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  status: {
    does: 'what the database holds: images, rows, what failed and why, lookups by day, the last run',
    flags: [toOption(json)],
    load: async () => (await import('./commands/status.ts')).status,
  },
  demo: {
    does: 'try it without an account: sample pictures, a local stand-in for the API, a database in ./plate-snapshot-demo',
    flags: [],
    load: async () => (await import('./commands/demo.ts')).demo,
  },
} as const satisfies Record<string, CommandEntry>

/** Runs the command line. @returns the exit code: 0 to 3, 130 or 143, as the README's table has them */
export async function main(args: readonly string[], shell: Shell): Promise<number> {
  let exitCode = 0
  const [first = ''] = args
  if (/^[a-z]/.test(first) && first !== 'help' && !Object.hasOwn(COMMANDS, first)) {
    shell.say(`There is no command ${first}. These are: ${Object.keys(COMMANDS).join(', ')}.`)
    return 2
  }
  const program = createProgram(shell, async (load, given) => {
    const [action, { loadDotenv }] = await Promise.all([load(), import('./dotenv.ts')])
    loadDotenv(shell.env)
    exitCode = await action(given, shell)
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
    shell.say(stopLines(thrown))
    return exitCodeOf({ failed: 0 }, thrown, shell.stoppedBy())
  }
}

type Run = (load: CommandEntry['load'], given: Record<string, unknown>) => Promise<void>

function createProgram(shell: Shell, run: Run): Command {
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
  for (const [name, { does, flags, load }] of Object.entries<CommandEntry>(COMMANDS)) {
    const command = program.command(name, { isDefault: name === 'ingest' }).description(does)
    for (const option of flags) command.addOption(option)
    command.action((given: Record<string, unknown>) => run(load, given))
  }
  // The default command's flags are what most people look for.
  const lines = COMMANDS.ingest.flags.map(
    ({ flags, description }) => `  ${flags.padEnd(34)} ${description}`,
  )
  const settings = 'Settings come from the environment or from .env; the README lists them.'
  return program.addHelpText('after', `\nOptions of ingest:\n${lines.join('\n')}\n\n${settings}`)
}

/** Defaults are the schema's to set; here they are only shown. */
function toOption({ flags, meaning }: Flag): Option {
  const value = defaultOf(new Option(flags).attributeName())
  const isShown = typeof value === 'number' || typeof value === 'string'
  return new Option(flags, isShown ? `${meaning} (default: ${value})` : meaning)
}
