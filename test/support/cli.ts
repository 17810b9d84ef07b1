import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Tally } from '../../src/tally.ts'

/** The built command line; `npm test` builds it first. */
export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** Compiling the modules is a third of what a short command takes. */
export const COMPILED = fileURLToPath(
  new URL('../../node_modules/.cache/compiled', import.meta.url),
)

/** `env` is all that the command sees besides PATH and a HOME of its own: none of the developer's own settings. */
export interface CliOptions {
  env?: Readonly<Record<string, string>>
  /** Default: a fresh temporary folder, gone afterwards. */
  cwd?: string
  /** Standard input; default empty. */
  input?: string
  /** Leaves standard input open after `input`: `feed` and `endInput` go on with it. */
  keepInputOpen?: boolean
}

/** One line of `--json` about an image. */
interface ImageRecord {
  event: 'image'
  line: number
  source: string
  outcome:
    | 'stored'
    | 'below_threshold'
    | 'no_plate'
    | 'duplicate'
    | 'failed'
    | 'returned'
    | 'would_look_up'
  sha256?: string
  mime?: string
  size?: number
  lookup: boolean
  plates?: { plate_text: string | null; plate_confidence: number | null; stored: boolean }[]
  purged?: true
  error?: { code: string; message: string; hint: string }
  ms: number
}

/** The last line of `--json`. */
interface SummaryRecord extends Omit<Tally, 'would_look_up'> {
  event: 'summary'
  seconds: number
  stopped: string | null
  dry_run?: boolean
  would_look_up?: number
}

/** A command that has ended. The getters read standard output as `--json` writes it. */
export interface CliResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  readonly records: unknown[]
  readonly images: ImageRecord[]
  readonly summary: SummaryRecord
}

/** A command under way. */
export interface RunningCli {
  readonly pid: number | undefined
  readonly ended: Promise<CliResult>
  hasEnded(): boolean
  kill(signal: NodeJS.Signals): void
  feed(text: string): void
  endInput(): void
  /** Resolves as soon as what both outputs said so far matches; rejects when the command ends without having said it. */
  untilSaid(pattern: RegExp): Promise<void>
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options?: CliOptions): Promise<CliResult> {
  const running = await startCli(args, options)
  return running.ended
}

export async function startCli(
  args: readonly string[],
  { env = {}, cwd, input = '', keepInputOpen = false }: CliOptions = {},
): Promise<RunningCli> {
  const folder = cwd ?? (await mkdtemp(join(tmpdir(), 'plate-snapshot-e2e-')))
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { NODE_COMPILE_CACHE: COMPILED, ...closedEnv(folder, env) },
  })
  // A command that ends without having read its input is no fault of the test.
  child.stdin.on('error', () => {})
  child.stdin.write(input)
  if (!keepInputOpen) child.stdin.end()

  const said = { stdout: '', stderr: '', both: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
      said.both += text
      for (const check of checks) check()
    })
  }
  const checks = new Set<() => void>()
  const ended = (async () => {
    const [exitCode] = await once(child, 'close')
    if (cwd === undefined) await rm(folder, { recursive: true, force: true })
    return toResult(exitCode, said)
  })()
  return {
    pid: child.pid,
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    kill: (signal) => void child.kill(signal),
    feed: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    untilSaid: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => pattern.test(said.both) && resolve()
        checks.add(check)
        check()
        void ended.then(() => reject(new Error(`ended without ${pattern}: ${said.both}`)), reject)
      }),
  }
}

/** PATH, and HOME where no profile of the developer's is found; nothing asks a cloud's metadata service. */
export function closedEnv(home: string, env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: home, AWS_EC2_METADATA_DISABLED: 'true', ...env }
}

function toResult(
  exitCode: number | null,
  { stdout, stderr }: { stdout: string; stderr: string },
): CliResult {
  const records = () =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  return {
    exitCode,
    stdout,
    stderr,
    get records() {
      return records()
    },
    get images() {
      return records().filter(({ event }) => event === 'image')
    },
    get summary() {
      return records().findLast(({ event }) => event === 'summary')
    },
  }
}
