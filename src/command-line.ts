import { Argument, Command, CommanderError, Option } from 'commander'
import type { Flag } from './flag.ts'
import { meaningOf, topHelp } from './help.ts'
import type { Shell } from './shell.ts'

type Action = (given: Record<string, unknown>, shell: Shell) => Promise<number>

/** One command: what it does, its flags, and its code, which is loaded when the command is used. */
export interface CommandEntry {
  does: string
  /** What is given without a flag, at most one (`<sql>`, `[id|sha256...]`); the action finds it under `name`. */
  argument?: { form: string; name: string; meaning: string }
  flags: readonly Flag[]
  load: () => Promise<Action>
}

type Run<T> = (load: CommandEntry['load'], given: Record<string, unknown>) => Promise<T>

/**
 * Finds the command that is meant and gives `run` what it was told.
 * @returns its exit code; 2 for what commander refuses, which it has said then, and 0 for help
 * @throws whatever `run` throws
 */
export async function parse(
  commands: Readonly<Record<string, CommandEntry>>,
  args: readonly string[],
  shell: Shell,
  run: Run<number>,
): Promise<number> {
  let exitCode = 0
  const program = createProgram(commands, shell, async (load, given) => {
    exitCode = await run(load, given)
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
    throw thrown
  }
}

function createProgram(
  commands: Readonly<Record<string, CommandEntry>>,
  shell: Shell,
  run: Run<void>,
): Command {
  const program = new Command('plate-snapshot')
    .version(shell.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.out(text.trimEnd()),
      writeErr: (text) => shell.say(text.trimEnd()),
    })
  for (const [name, { does, argument, flags, load }] of Object.entries(commands)) {
    const command = program.command(name, { isDefault: name === 'ingest' }).description(does)
    for (const flag of flags) command.addOption(toOption(flag))
    if (argument === undefined) {
      command.action((given: Record<string, unknown>) => run(load, given))
      continue
    }
    command.addArgument(new Argument(argument.form, argument.meaning))
    command.action((value: unknown, given: Record<string, unknown>) =>
      run(load, { ...given, [argument.name]: value }),
    )
  }
  // Set last: commands take over what their program has when they are made, and keep commander's own help.
  return program.configureHelp({
    formatHelp: (_program, { helpWidth }) => `${topHelp(commands, helpWidth)}\n`,
  })
}

/** Defaults are the schema's to set; here they are only shown. */
function toOption(flag: Flag): Option {
  return new Option(flag.flags, meaningOf(flag))
}
