import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { ADVICE } from '../../src/advice.ts'
import type { CommandEntry } from '../../src/command-line.ts'
import { SETTINGS } from '../../src/config.ts'
import type { Flag } from '../../src/flag.ts'
import { INGEST_FLAGS } from '../../src/flags.ts'
import { COMMANDS } from '../../src/main.ts'
import { createTally } from '../../src/tally.ts'
import { PLATES_FLAGS, PURGE_FLAGS, REPORT_FLAGS } from '../../src/viewing-flags.ts'
import { deadReferences, linkedFrom } from '../support/document-links.ts'
import { allBlocks, CODE, codeBlock, DOCUMENTS, tableOf } from '../support/documents.ts'

const root = new URL('../../', import.meta.url)
const README = DOCUMENTS.get('README.md') ?? ''

test('the table of commands is that of the command line', () => {
  const commands = Object.entries(COMMANDS).map(([name, { does }]) => [name, does])
  expect(tableOf('command')).toEqual(commands)
})

test.each<[head: string, flags: Record<string, Flag>]>([
  ['flag', INGEST_FLAGS],
  ['flag of `report`', REPORT_FLAGS],
])('the table of each %s is that of the command line, defaults included', (head, all) => {
  const flags = Object.entries(all).map(([option, flag]) => {
    const none = option === 'images' ? 'required' : 'none'
    const isSwitch = flag.default === false || flag.flags.startsWith('--no-')
    const value = isSwitch ? 'off' : String(flag.default ?? none)
    return [flag.flags, value, flag.meaning]
  })
  expect(tableOf(head)).toEqual(flags)
})

test.each<[command: string, flags: Record<string, Flag>]>([
  ['plates', PLATES_FLAGS],
  ['purge', PURGE_FLAGS],
])('the table of the flags of %s is that of the command line', (command, all) => {
  const flags = Object.values(all).map(({ flags, meaning }) => [flags, meaning])
  expect(tableOf(`flag of \`${command}\``)).toEqual(flags)
})

test('the table of settings names every setting, and so does .env.example', () => {
  const names = tableOf('variable').map(([name]) => name)
  expect(names).toEqual(Object.keys(SETTINGS))
  const example = readFileSync(new URL('.env.example', root), 'utf8')
  const inExample = [...example.matchAll(/^(\w+)=/gm)].map(([, name]) => name)
  const withoutSession = names.filter((name) => name !== 'AWS_SESSION_TOKEN')
  expect(inExample).toEqual(withoutSession)
})

test.each<[name: string, value: string]>([
  ['SNAPSHOT_API_URL', 'https://api.platerecognizer.com/v1/plate-reader/'],
  ['DATABASE_URL', 'pglite:./plate-snapshot-data'],
  ['AWS_REGION', 'us-east-1'],
  ['S3_URL_EXPIRES', '604800'],
])('the default of %s is the code’s', (name, value) => {
  const row = tableOf('variable').find(([variable]) => variable === name)
  expect(row?.[1]).toBe(value)
})

test('the table of outcomes names those that add up to all images', () => {
  const { images: _all, ...tally } = createTally()
  const outcomes = tableOf('outcome').map(([name]) => name)
  expect(outcomes).toEqual(Object.keys(tally).slice(0, outcomes.length))
  expect(outcomes).toHaveLength(5)
})

test('the table of error codes is that of the code', () => {
  const codes = Object.entries(ADVICE).map(([code, { hint }]) => [code, hint])
  expect(tableOf('code | what to do')).toEqual(codes)
})

/** Documents that no user of the tool need read, but that are linked to and link. */
const OTHERS = ['SECURITY.md', 'CHANGELOG.md', 'bench/README.md']

test.each([...DOCUMENTS.keys(), ...OTHERS])(
  '%s names no file or heading that is not there',
  (path) => {
    expect(deadReferences(path)).toEqual([])
  },
)

test('the README leads to every document, and each leads back', () => {
  const documents = [...DOCUMENTS.keys()].filter((path) => path !== 'README.md')
  expect(documents.length).toBeGreaterThan(10)
  expect(linkedFrom('README.md')).toEqual(expect.arrayContaining(documents))
  for (const path of documents) expect(linkedFrom(path), path).toContain('README.md')
})

test('messages name only documents that are there', () => {
  const named = globSync('src/**/*.ts', { cwd: fileURLToPath(root) }).flatMap((file) => {
    const names = readFileSync(new URL(file, root), 'utf8').matchAll(/docs\/[\w-]+\.md/g)
    return [...names].map(([name]) => name)
  })
  expect(named.length).toBeGreaterThan(0)
  for (const name of named) expect([...DOCUMENTS.keys()]).toContain(name)
})

test('the README has fewer than 400 lines', () => {
  expect(README.split('\n').length - 1).toBeLessThan(400)
})

test('every line with plate-snapshot in a block of code uses commands and flags that exist', () => {
  const known = new Map(
    Object.entries<CommandEntry>(COMMANDS).map(([name, { flags }]) => [
      name,
      flags.map((flag) => flag.flags.match(/--[a-z0-9-]+/)?.[0]),
    ]),
  )
  const code = allBlocks().filter(({ language }) => CODE.has(language) && language !== 'ts')
  const lines = code
    .flatMap(({ text, language }) =>
      text.split('\n').filter((line) => language !== 'console' || line.startsWith('$ ')),
    )
    .filter((line) => /plate-snapshot( |$)/.test(line))
  expect(lines.length).toBeGreaterThan(20)
  for (const line of lines) {
    const used = line.slice(line.search(/plate-snapshot( |$)/))
    const command = /^plate-snapshot ([a-z]+)/.exec(used)?.[1] ?? 'ingest'
    expect([...known.keys()], line).toContain(command)
    for (const flag of used.match(/ --[a-z-]+/g) ?? []) {
      expect(known.get(command), line).toContain(flag.trim())
    }
  }
})

/** Blocks that nothing here can run, by a text in them, and why that will do. */
const NOT_RUN: [has: string, why: string][] = [
  ['npx @pg-boss/dashboard', 'a program of its own, which is no dependency; tried by hand'],
]

test('every block of code in the documents is taken by a test that runs or checks it', () => {
  const tests = globSync('test/{unit,integration,e2e}/*.test.ts', { cwd: fileURLToPath(root) })
  const taken = tests.flatMap((file) => {
    const source = readFileSync(new URL(file, root), 'utf8')
    return [...source.matchAll(/\bcodeBlock\(\s*(["'])(.+?)\1,?\s*\)/g)].map(([, , has = '']) =>
      has.replaceAll('\\n', '\n'),
    )
  })
  const known = [...taken, ...NOT_RUN.map(([has]) => has)].map((has) => codeBlock(has))
  const left = allBlocks().filter(
    ({ language, text }) => CODE.has(language) && !known.includes(text),
  )
  expect(left.map(({ document, text }) => `${document}: ${text}`)).toEqual([])
})

test('a block is code, or plainly none', () => {
  const languages = allBlocks().map(({ language }) => language)
  const none = ['text', 'json', 'dotenv']
  expect(languages.filter((language) => !CODE.has(language) && !none.includes(language))).toEqual(
    [],
  )
})

test('the settings that the documents set are settings', () => {
  const exported = codeBlock('export DATABASE_URL=')
  const files = allBlocks().filter(({ language }) => language === 'dotenv')
  expect(files.length).toBeGreaterThan(0)
  for (const text of [exported, ...files.map((block) => block.text)]) {
    const names = [...text.matchAll(/\b([A-Z][A-Z0-9_]+)=/g)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(2)
    for (const name of names) expect(Object.keys(SETTINGS)).toContain(name)
  }
})

test('npm scripts that the documents name are there', () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')))
  const named = [...DOCUMENTS.values()].flatMap((text) => [...text.matchAll(/npm run ([\w:]+)/g)])
  expect(named.length).toBeGreaterThan(5)
  for (const [, name] of named) expect(Object.keys(scripts)).toContain(name)
})

test('the job for GitHub Actions sets settings only, and checks out as CI does', () => {
  const block = codeBlock('runs-on: ubuntu-latest')
  const step = z.object({
    uses: z.string(),
    run: z.string(),
    env: z.record(z.string(), z.string()),
  })
  const job = z.object({ steps: z.array(step.partial()) })
  const { jobs } = z.object({ jobs: z.record(z.string(), job) }).parse(parse(block))
  const steps = Object.values(jobs).flatMap((one) => one.steps)
  const names = steps.flatMap(({ env }) => Object.keys(env ?? {}))
  expect(names.length).toBeGreaterThan(3)
  for (const name of names) expect(Object.keys(SETTINGS)).toContain(name)
  const used = steps.flatMap(({ uses }) => uses ?? [])
  const ci = readFileSync(new URL('.github/workflows/ci.yml', root), 'utf8')
  for (const action of used) expect(ci).toContain(`uses: ${action}`)
})

test('the two commands stand first, and CI runs the second as it is written', () => {
  expect(allBlocks()[0]?.text).toBe('npm ci && npm run demo\nnpm ci && npm test\n')
  expect(README.indexOf('npm ci && npm run demo')).toBeLessThan(400)
  const ci = readFileSync(new URL('.ci/run', root), 'utf8')
  expect(ci).toContain("grep -m 1 -x 'npm ci && npm test' README.md")
})
