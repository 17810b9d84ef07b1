import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** What users read of this repository, by path; other documents may link to it and it to them. */
export const DOCUMENTS: ReadonlyMap<string, string> = new Map(
  ['README.md', ...globSync('docs/*.md', { cwd: ROOT }).toSorted()].map((path) => [
    path,
    readFileSync(ROOT + path, 'utf8'),
  ]),
)

/** A block between fences. */
export interface Block {
  /** Which document it is in. */
  document: string
  language: string
  text: string
}

/** All blocks of the documents, in order. */
export function allBlocks(): Block[] {
  return [...DOCUMENTS].flatMap(([document, all]) =>
    [...all.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
      document,
      language,
      text,
    })),
  )
}

/** Languages of blocks that are run, or looked at closely, by a test that takes them by `codeBlock`. */
export const CODE = new Set(['sh', 'console', 'cron', 'ini', 'sql', 'ts', 'yaml'])

/**
 * The one block of code that has this text in it. A test that takes a block this way runs it, or says why not:
 * test/unit/documents.test.ts finds the blocks that no test takes.
 * @throws when there are none or several
 */
export function codeBlock(has: string): string {
  const found = allBlocks().filter(({ language, text }) => CODE.has(language) && text.includes(has))
  const [block, ...others] = found
  if (block === undefined || others.length > 0) {
    throw new Error(`${found.length} blocks of code in the documents have: ${has}`)
  }
  return block.text
}

/** What a document shows as coming from the command in a block of shell: the block of text that follows it. */
export function outputOf(command: string): string {
  const blocks = allBlocks()
  const output = blocks[blocks.findIndex(({ text }) => text === command) + 1]
  if (output?.language !== 'text') throw new Error(`no output is shown of: ${command}`)
  return output.text
}

/** The only table whose head row begins with `head`: its cells, without the Markdown around them. */
export function tableOf(head: string): string[][] {
  const found = [...DOCUMENTS.values()].flatMap((text) => {
    const lines = text.split('\n')
    const start = lines.findIndex((line) => line.startsWith(`| ${head} |`))
    return start < 0 ? [] : [lines.slice(start + 2)]
  })
  const [lines, ...others] = found
  if (lines === undefined || others.length > 0) {
    throw new Error(`${found.length} documents have a table that begins with ${head}`)
  }
  const end = lines.findIndex((line) => !line.startsWith('|'))
  return lines.slice(0, end < 0 ? undefined : end).map(cellsOf)
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) =>
      cell
        .trim()
        .replaceAll('\\|', '|')
        .replace(/^`([^`]*)`$/, '$1'),
    )
}
