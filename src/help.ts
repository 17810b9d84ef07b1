import type { CommandEntry } from './command-line.ts'
import type { Flag } from './flag.ts'
import { INGEST_FLAGS } from './flags.ts'

const DOES =
  'Reads a list of images, asks the Plate Recognizer Snapshot API about each once, and keeps what was seen in PostgreSQL.'
const OPTIONS = [
  ['-V, --version', 'output the version number'],
  ['-h, --help', 'display help for command'],
] as const
const SETTINGS = 'Settings come from the environment or from .env; the README lists them.'
/** What is narrower reads better when the terminal breaks it. */
const NARROWEST = 40

/**
 * The top `--help`. It is ours, in commander's layout: commander would hide the default command's flags, which most
 * people look for, and takes half of a start to load. @param columns the width to keep to, in characters
 */
export function topHelp(
  commands: Readonly<Record<string, Pick<CommandEntry, 'does' | 'argument' | 'flags'>>>,
  columns = 80,
): string {
  const named = [
    ...Object.entries(commands).map(
      ([name, { does, argument, flags }]) =>
        [
          [name, ...(flags.length === 0 ? [] : ['[options]']), argument?.form ?? '']
            .join(' ')
            .trim(),
          does,
        ] as const,
    ),
    ['help [command]', 'display help for command'] as const,
  ]
  const width = Math.max(...[...OPTIONS, ...named].map(([term]) => term.length))
  const item = ([term, meaning]: readonly [string, string]) => {
    const indent = ' '.repeat(width + 4)
    return `  ${term.padEnd(width)}  ${wrap(meaning, columns - indent.length).join(`\n${indent}`)}`
  }
  const ofIngest = Object.values<Flag>(INGEST_FLAGS).map(
    (flag) => `  ${flag.flags.padEnd(34)} ${meaningOf(flag)}`,
  )
  return [
    'Usage: plate-snapshot [options] [command]',
    wrap(DOES, columns).join('\n'),
    ['Options:', ...OPTIONS.map(item)].join('\n'),
    ['Commands:', ...named.map(item)].join('\n'),
    ['Options of ingest:', ...ofIngest].join('\n'),
    SETTINGS,
  ].join('\n\n')
}

/** What a flag means, with its default where there is one to see. */
export function meaningOf({ meaning, default: value }: Flag): string {
  const isShown = typeof value === 'number' || typeof value === 'string'
  return isShown ? `${meaning} (default: ${value})` : meaning
}

function wrap(text: string, columns: number): string[] {
  if (columns < NARROWEST) return [text]
  const [first = '', ...words] = text.split(' ')
  const lines = [first]
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`
    if (longer.length <= columns) lines.splice(-1, 1, longer)
    else lines.push(word)
  }
  return lines
}
