import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { INGEST_FLAGS } from '../../src/flags.ts'
import { COMMANDS } from '../../src/main.ts'
import { CLI, runCli } from '../support/cli.ts'

const run = promisify(execFile)

test.each(['--help', '-h', 'help'])(
  '%s lists the commands and the flags of ingest',
  async (flag) => {
    const { exitCode, stdout, stderr } = await runCli([flag])
    expect([exitCode, stderr]).toEqual([0, ''])
    for (const command of ['ingest', 'migrate', 'check', 'reprocess', 'demo']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
    }
    for (const { flags } of Object.values(INGEST_FLAGS)) expect(stdout).toContain(`  ${flags} `)
    expect(stdout).toContain('(default: 0.5)')
  },
)

test.each(['ingest', 'migrate', 'check', 'reprocess', 'demo'])(
  '%s has help of its own',
  async (command) => {
    const { exitCode, stdout } = await runCli([command, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`plate-snapshot ${command}`)
  },
)

test.each(['--version', '-V'])('%s tells the version of the package', async (flag) => {
  const { exitCode, stdout } = await runCli([flag])
  expect([exitCode, stdout]).toEqual([0, `${manifest.version}\n`])
})

test('ingest is the command when none is named', async () => {
  const named = await runCli(['ingest', '--images', 'none.txt'])
  const unnamed = await runCli(['--images', 'none.txt'])
  expect(named.exitCode).toBe(2)
  expect(unnamed).toMatchObject({ exitCode: 2, stderr: named.stderr })
})

/** The packages of which a command loaded anything: Node's coverage lists every script that was compiled. */
async function packagesLoadedBy(args: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-loaded-'))
  try {
    await runCli(args, { env: { NODE_V8_COVERAGE: folder } })
    const reports = await Promise.all(
      (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
    )
    const urls: string[] = reports.flatMap((report) =>
      JSON.parse(report).result.map(({ url }: { url: string }) => url),
    )
    expect(urls.some((url) => url.endsWith('/dist/cli.js'))).toBe(true)
    const names = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? '')
    return [...new Set(names)].filter((name) => name !== '').toSorted()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test.each(['--version', '-V', '--help', '-h', 'help'])('%s loads no package', async (flag) => {
  expect(await packagesLoadedBy([flag])).toEqual([])
})

test.each(Object.keys(COMMANDS))('%s --help loads no package but commander', async (command) => {
  expect(await packagesLoadedBy([command, '--help'])).toEqual(['commander'])
})

test('a command loads what its flags are read with', async () => {
  expect(await packagesLoadedBy(['--images', 'none.txt'])).toContain('zod')
})

/** A Node that the machine has and that is too old. */
async function oldNode(): Promise<string | undefined> {
  const path = '/usr/bin/node'
  if (!existsSync(path)) return undefined
  const { stdout } = await run(path, ['--version'])
  const [major = 0, minor = 0] = stdout.slice(1).split('.').map(Number)
  return major < 22 || (major === 22 && minor < 19) ? path : undefined
}

test('an old Node gets one clear sentence, not a stack trace', async ({ skip }) => {
  const node = await oldNode()
  if (node === undefined) skip('this machine has no Node older than 22.19 in /usr/bin')
  const { code, stdout, stderr } = await run(node ?? '', [CLI, '--help']).catch((error) => error)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(
    /^plate-snapshot needs Node 22\.19 or newer; this is Node \d+\.\d+\.\d+\. .*\n$/,
  )
})
