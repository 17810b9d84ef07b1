import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ADVICE } from '../../src/advice.ts'
import type { CommandEntry } from '../../src/command-line.ts'
import { SETTINGS } from '../../src/config.ts'
import type { Flag } from '../../src/flag.ts'
import { INGEST_FLAGS } from '../../src/flags.ts'
import { COMMANDS } from '../../src/main.ts'
import { PLATES_FLAGS, PURGE_FLAGS, REPORT_FLAGS } from '../../src/viewing-flags.ts'
import { readmeBlocks, readmeFiles, readmeTable, readmeText } from '../support/readme.ts'

const root = new URL('../../', import.meta.url)

test('the table of commands is that of the command line', () => {
  const commands = Object.entries(COMMANDS).map(([name, { does }]) => [name, does])
  expect(readmeTable('command')).toEqual(commands)
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
  expect(readmeTable(head)).toEqual(flags)
})

test.each<[command: string, flags: Record<string, Flag>]>([
  ['plates', PLATES_FLAGS],
  ['purge', PURGE_FLAGS],
])('the table of the flags of %s is that of the command line', (command, all) => {
  const flags = Object.values(all).map(({ flags, meaning }) => [flags, meaning])
  expect(readmeTable(`flag of \`${command}\``)).toEqual(flags)
})

test('the table of settings names every setting, and so does .env.example', () => {
  const names = readmeTable('variable').map(([name]) => name)
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
  const row = readmeTable('variable').find(([variable]) => variable === name)
  expect(row?.[1]).toBe(value)
})

test('the table of error codes is that of the code', () => {
  const codes = Object.entries(ADVICE).map(([code, { hint }]) => [code, hint])
  expect(readmeTable('code | what to do')).toEqual(codes)
})

test('every file that the README links to is there', () => {
  expect(readmeFiles().filter((file) => !existsSync(new URL(file, root)))).toEqual([])
})

test('every plate-snapshot line in the README uses commands and flags that exist', () => {
  const code = [...readmeBlocks('sh'), ...readmeBlocks('cron'), ...readmeBlocks('yaml')].join('\n')
  const known = new Map(
    Object.entries<CommandEntry>(COMMANDS).map(([name, { flags }]) => [
      name,
      flags.map((flag) => flag.flags.match(/--[a-z0-9-]+/)?.[0]),
    ]),
  )
  const lines = code.split('\n').filter((line) => /plate-snapshot( |$)/.test(line))
  expect(lines.length).toBeGreaterThan(5)
  for (const line of lines) {
    const used = line.slice(line.search(/plate-snapshot( |$)/))
    const command = /^plate-snapshot ([a-z]+)/.exec(used)?.[1] ?? 'ingest'
    expect([...known.keys()], line).toContain(command)
    for (const flag of used.match(/ --[a-z-]+/g) ?? []) {
      expect(known.get(command), line).toContain(flag.trim())
    }
  }
})

test('the two commands stand first, and CI runs the second as it is written', () => {
  expect(readmeBlocks('sh')[0]).toBe('npm ci && npm run demo\nnpm ci && npm test\n')
  expect(readmeText().indexOf('npm ci && npm run demo')).toBeLessThan(400)
})
