import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CLI, closedEnv } from '../../test/support/cli.ts'
import type { Usage } from './usage-at-exit.ts'

/** A measured process that has ended; `seconds` are from its start to its end, Node's own start-up included. */
export interface Ran extends Usage {
  exitCode: number | null
  seconds: number
  /** The last line of `--json`. */
  summary: Readonly<Record<string, number | string | null | undefined>>
  /** The end of what it said on standard error. */
  said: string
}

/** A measured process under way. */
export interface Running {
  ended: Promise<Ran>
  /** SIGINT, as Ctrl-C sends it. */
  interrupt(): void
}

/** `folder` is HOME and the working directory; `env` is all that the process sees besides PATH. */
export interface RunOptions {
  folder: string
  env: Readonly<Record<string, string>>
  cwd?: string
  /** Modules loaded before the program, by file. */
  imports?: readonly URL[]
}

const MOST_SAID = 4_000
const USAGE = new URL('./usage-at-exit.ts', import.meta.url)
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

const children = new Set<ReturnType<typeof spawn>>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
let started = 0

/** Starts the built command line. */
export function startCli(args: readonly string[], options: RunOptions): Running {
  return start([CLI, ...args], options)
}

/** Runs the built command line to its end, which must be a good one. @throws with what it said */
export async function runCli(args: readonly string[], options: RunOptions): Promise<Ran> {
  return good(args.join(' '), await startCli(args, options).ended)
}

/**
 * Runs a program of this folder, types already removed: the memory and time that Node takes for that is not to be
 * measured. @throws with what it said, unless it ends well
 */
export async function runProgram(program: URL, options: RunOptions): Promise<Ran> {
  const code = ['--input-type=module', '--eval', codeOf(program)]
  return good(program.pathname, await start(code, { cwd: REPOSITORY, ...options }).ended)
}

function good(what: string, ran: Ran): Ran {
  if (ran.exitCode === 0) return ran
  throw new Error(`${what} ended with ${ran.exitCode}: ${ran.said}`)
}

function codeOf(file: URL): string {
  return stripTypeScriptTypes(readFileSync(file, 'utf8'))
}

function importOf(file: URL): string {
  return `--import=data:text/javascript;base64,${Buffer.from(codeOf(file)).toString('base64')}`
}

function start(args: readonly string[], options: RunOptions): Running {
  const { folder, cwd = folder, env, imports = [] } = options
  started += 1
  const usageFile = join(folder, `usage-${process.pid}-${started}.json`)
  const startedAt = performance.now()
  const child = spawn(process.execPath, args, {
    cwd,
    env: {
      ...closedEnv(folder, env),
      NODE_OPTIONS: [env['NODE_OPTIONS'] ?? '', ...[USAGE, ...imports].map(importOf)].join(' '),
      BENCH_USAGE: usageFile,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let summary: Ran['summary'] = {}
  let said = ''
  // A million lines go by here: only the last is kept.
  createInterface(child.stdout).on('line', (line) => {
    if (line.startsWith('{"event":"summary"')) summary = JSON.parse(line)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MOST_SAID)
  })
  const ended = (async () => {
    const closed = once(child, 'close')
    const [exitCode] = await once(child, 'exit')
    const seconds = (performance.now() - startedAt) / 1000
    await closed
    children.delete(child)
    const usage: Usage = JSON.parse(readFileSync(usageFile, 'utf8'))
    return { exitCode, seconds, summary, said, ...usage }
  })()
  return { ended, interrupt: () => void child.kill('SIGINT') }
}
