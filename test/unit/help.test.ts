import { Command } from 'commander'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import type { CommandEntry } from '../../src/command-line.ts'
import { topHelp } from '../../src/help.ts'
import { COMMANDS } from '../../src/main.ts'

test.each([30, 39, 40, 62, 63, 64, 80, 119, 200])(
  'the top help is laid out as commander would, %i columns wide',
  (columns) => {
    const program = new Command('plate-snapshot')
      .description(manifest.description)
      .version(manifest.version)
      .configureHelp({ helpWidth: columns })
    for (const [name, { does, argument, flags }] of Object.entries<CommandEntry>(COMMANDS)) {
      const command = program.command(name).description(does)
      if (argument !== undefined) command.argument(argument.form)
      for (const flag of flags) command.option(flag.flags)
    }
    const [head] = topHelp(COMMANDS, columns).split('\n\nOptions of ingest:')
    expect(`${head}\n`).toBe(program.helpInformation())
  },
)

test('a width that is not known counts as 80', () => {
  expect(topHelp(COMMANDS)).toBe(topHelp(COMMANDS, 80))
})
