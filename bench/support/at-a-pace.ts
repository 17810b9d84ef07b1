import { setTimeout as sleep } from 'node:timers/promises'
import { startInOwnProcess } from '../../test/support/own-process.ts'
import type { Bench } from './bench.ts'
import { type Ran, type Running, startCli } from './node-process.ts'
import type { PacedOptions, PacedSandbox, Request } from './paced-sandbox.ts'

/** A sandbox with a limit; see paced-sandbox.ts. */
export const SANDBOX = new URL('./paced-sandbox.ts', import.meta.url)

/** As the API takes its time: 300 milliseconds, 200 more or less. */
export const LATENCY_MS = [100, 500] as const
const LOOK_AGAIN_MS = 50

/** One of the processes that share a sandbox and a database. */
export interface Process {
  list: string
  flags: readonly string[]
  env?: Readonly<Record<string, string>>
  imports?: readonly URL[]
}

let lastStart: Promise<void> = Promise.resolve()

/** Rows that run at the same time start their processes one by one: a start takes a processor for a second. */
export function inTurn(start: () => Promise<void>): Promise<void> {
  const mine = lastStart.then(start)
  lastStart = mine.catch(() => {})
  return mine
}

/**
 * Runs the tool against a sandbox of its own until its lists are through, or, with `windowMs`, until that long after the
 * last process began to ask: then each is interrupted as by Ctrl-C. What comes after a window is not counted, so neither
 * the end of a list nor what a run still waits for at its end says anything.
 */
export async function atAPace(
  bench: Bench,
  processes: readonly Process[],
  options: Omit<PacedOptions, 'latencyMs'> & { windowMs?: number },
): Promise<{ ran: Ran[]; requests: Request[] }> {
  const { windowMs, limits } = options
  await using sandbox = await startInOwnProcess<PacedSandbox>(SANDBOX, 'startPacedSandbox', {
    limits,
    latencyMs: LATENCY_MS,
  })
  await using database = await bench.createDatabase()
  const running: Running[] = []
  for (const [index, { list, flags, env, imports = [] }] of processes.entries()) {
    // Processes are told apart by the camera they name.
    const args = ['--images', list, '--camera-id', `${index}`, '--json', '--quiet', ...flags]
    const settings = {
      ...bench.s3,
      ...env,
      PLATE_API_KEY: 'bench',
      SNAPSHOT_API_URL: sandbox.url,
      DATABASE_URL: database.url,
    }
    await inTurn(async () => {
      const one = startCli(args, { folder: bench.folder, env: settings, imports })
      running.push(one)
      await untilPast(sandbox, { cameras: index + 1, ms: 0 }, [one])
    })
  }
  const ended = Promise.all(running.map((one) => one.ended))
  if (windowMs !== undefined) {
    await untilPast(sandbox, { cameras: processes.length, ms: windowMs }, running)
    for (const one of running) one.interrupt()
  }
  const ran = await ended
  return { ran, requests: await sandbox.requests() }
}

/** Waits until so much time has passed with all at work, or one has ended, which then has failed or had a short list. */
async function untilPast(
  sandbox: PacedSandbox,
  { cameras, ms }: { cameras: number; ms: number },
  running: readonly Running[],
): Promise<void> {
  let hasOneEnded = false
  const note = () => {
    hasOneEnded = true
  }
  for (const { ended } of running) ended.then(note, note)
  while (!hasOneEnded && ((await sandbox.msSince(cameras)) ?? -1) < ms) await sleep(LOOK_AGAIN_MS)
}

/** Share of requests that were answered 429. */
export function throttledShare(requests: readonly Request[]): number {
  return requests.filter(({ isThrottled }) => isThrottled).length / requests.length
}
