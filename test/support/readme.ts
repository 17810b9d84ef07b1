import { readFileSync } from 'node:fs'

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The cells of the README's first table whose head row begins with `head`, without the Markdown around them. */
export function readmeTable(head: string): string[][] {
  const lines = README.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`))
  if (start < 0) throw new Error(`the README has no table that begins with ${head}`)
  const rows: string[][] = []
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break
    rows.push(cellsOf(line))
  }
  return rows
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

/** The README's code blocks in a language, in order. */
export function readmeBlocks(language: string): string[] {
  const blocks = README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)
  return [...blocks].flatMap(([, name, text]) =>
    name === language && text !== undefined ? [text] : [],
  )
}

/** Commands of one line that the README shows with their output: the line, and what it prints. */
export function readmeExamples(): [line: string, output: string][] {
  const pairs = README.matchAll(
    /^```sh\n(npx plate-snapshot .*)\n```\n\n```text\n([\s\S]*?)^```$/gm,
  )
  return [...pairs].map(([, line = '', output = '']) => [line, output])
}

/** Commands that a chapter shows as typed into a terminal (after `$ `), with what came of them. */
export function readmeSession(chapter: string): [line: string, output: string][] {
  const text = chapterOf(chapter).matchAll(/^```console\n\$ (.*)\n([\s\S]*?)^```$/gm)
  return [...text].map(([, line = '', output = '']) => [line, output])
}

/** The lines of plate-snapshot in a chapter's blocks of shell commands, in order. */
export function readmeLines(chapter: string): string[] {
  const blocks = chapterOf(chapter).matchAll(/^```sh\n([\s\S]*?)^```$/gm)
  const lines = [...blocks].flatMap(([, text = '']) => text.split('\n'))
  return lines.filter((line) => line.startsWith('npx plate-snapshot '))
}

function chapterOf(heading: string): string {
  const [, rest = ''] = README.split(`\n## ${heading}\n`)
  return rest.split('\n## ')[0] ?? ''
}

/** Targets of the README's links that are files of this repository. */
export function readmeFiles(): string[] {
  const targets = [...README.matchAll(/\]\(([^)#\s]+)\)/g)].flatMap(([, target]) => target ?? [])
  return targets.filter((target) => !target.includes('://'))
}

export function readmeText(): string {
  return README
}
