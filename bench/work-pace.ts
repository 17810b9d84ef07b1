import { setTimeout as sleep } from 'node:timers/promises'
import { startInOwnProcess } from '../test/support/own-process.ts'
import { inTurn, LATENCY_MS, SANDBOX, throttledShare } from './support/at-a-pace.ts'
import type { Bench } from './support/bench.ts'
import type { BenchDatabase } from './support/databases.ts'
import { atLeast, atMost, type Measurement, mustBe, percent } from './support/measurement.ts'
import { type Ran, type Running, startCli } from './support/node-process.ts'
import type { PacedSandbox, Request } from './support/paced-sandbox.ts'
import { createQueueDatabase, enqueueList, JOBS_IN_HAND, jobStates } from './support/queues.ts'

const SECONDS = 60
const DELAY_S = 0.13
const PER_SECOND = 8
const AHEAD_MS = 5_000
const CLOCK_AHEAD = new URL('./support/clock-ahead.ts', import.meta.url)
/** Generously: so long a worker takes to start, while others are at work already. */
const START_S = 3
const LOOK_AGAIN_MS = 50

interface Fleet {
  workers: number
  /** Every other one's clock is 5 seconds ahead. */
  isApart: boolean
}

/** Worker processes on one queue keep to one pace together, however many there are, and whatever their clocks say. */
export async function workPace(bench: Bench): Promise<Measurement[]> {
  const measured: Measurement[] = []
  const fleets: Fleet[][] = [
    [
      { workers: 1, isApart: false },
      { workers: 4, isApart: false },
      { workers: 4, isApart: true },
    ],
    [{ workers: 16, isApart: false }],
    [{ workers: 16, isApart: true }],
  ]
  for (const atOnce of fleets) {
    measured.push(...(await Promise.all(atOnce.map((fleet) => paced(bench, fleet)))).flat())
  }
  return measured
}

async function paced(bench: Bench, { workers, isApart }: Fleet): Promise<Measurement[]> {
  const windowMs = bench.sized(SECONDS) * 1_000
  const allowed = windowMs / 1_000 / DELAY_S
  const jobs = Math.ceil((workers * START_S + 10) / DELAY_S + allowed) + workers * JOBS_IN_HAND
  await using database = await createQueueDatabase(bench)
  const list = await bench.list(await bench.images(0, jobs))
  await enqueueList(bench, database, list, { flags: ['--camera-id', 'gate'] })

  const { ran, requests, startMs } = await interrupted(bench, database, {
    ...{ workers, isApart, windowMs },
  })
  const within = requests.filter(({ atMs }) => atMs >= startMs && atMs < startMs + windowMs)
  const accepted = within.filter(({ isAccepted }) => isAccepted).length
  const shares = ran.map(({ summary }) => Number(summary['lookups']))
  const codes = new Set(ran.map(({ exitCode }) => exitCode))
  const { created = 0, completed = 0, ...others } = await jobStates(database)
  const name = `work-pace, ${workers} at work${isApart ? ', clocks 5 s apart' : ''}`
  return [
    atLeast(
      name,
      accepted / allowed,
      0.95,
      percent,
      `${accepted} lookups in ${windowMs / 1_000} s with all at work, ${allowed.toFixed(0)} allowed by --delay ${DELAY_S}; from first to last each worker made ${Math.min(...shares)} to ${Math.max(...shares)}.`,
    ),
    atMost(
      `${name}, 429s`,
      throttledShare(within),
      0.005,
      percent,
      `Of ${within.length} requests, limit ${PER_SECOND} a second; ${percent(throttledShare(requests))} of ${requests.length} since the first worker started.`,
    ),
    mustBe(
      `${name}, nothing lost`,
      `${completed + created} of ${jobs}`,
      'all',
      completed + created === jobs && Object.keys(others).length === 0 && isOnly(codes, 130),
      `${completed} jobs done, ${created} wait again after Ctrl-C; exit codes ${[...codes].join(', ')}.`,
    ),
  ]
}

const isOnly = <T>(set: ReadonlySet<T>, value: T) => set.size === 1 && set.has(value)

interface Interrupted {
  ran: Ran[]
  requests: Request[]
  /** When all were at work, by the sandbox's clock since the first request. */
  startMs: number
}

/** Starts the workers one by one, and interrupts them so long after the last has begun. */
async function interrupted(
  bench: Bench,
  database: BenchDatabase,
  { workers, isApart, windowMs }: Fleet & { windowMs: number },
): Promise<Interrupted> {
  const limits = [{ perSecond: PER_SECOND, forMs: 0 }]
  await using sandbox = await startInOwnProcess<PacedSandbox>(SANDBOX, 'startPacedSandbox', {
    ...{ limits, latencyMs: LATENCY_MS },
  })
  const settings = {
    ...bench.s3,
    ...{ PLATE_API_KEY: 'bench', SNAPSHOT_API_URL: sandbox.url, DATABASE_URL: database.url },
  }
  const ahead = { imports: [CLOCK_AHEAD], env: { ...settings, BENCH_CLOCK_AHEAD: `${AHEAD_MS}` } }
  const args = ['work', '--delay', `${DELAY_S}`, '--json', '--quiet']
  const running: Running[] = []
  for (let index = 0; index < workers; index += 1) {
    await inTurn(async () => {
      const own = isApart && index % 2 === 1 ? ahead : { env: settings }
      const one = startCli(args, { folder: bench.folder, ...own })
      running.push(one)
      await atWork(database, index + 1, one)
    })
  }
  const startMs = await sinceFirst(sandbox)
  await sleep(windowMs)
  for (const one of running) one.interrupt()
  const ran = await Promise.all(running.map(({ ended }) => ended))
  return { ran, requests: await sandbox.requests(), startMs }
}

/** Milliseconds since the first request, which is waited for. */
async function sinceFirst(sandbox: PacedSandbox): Promise<number> {
  for (;;) {
    const ms = await sandbox.msSince(1)
    if (ms !== null) return ms
    await sleep(LOOK_AGAIN_MS)
  }
}

/** Resolves when so many hold jobs. @throws when the last to start ends before that */
async function atWork(database: BenchDatabase, workers: number, last: Running): Promise<void> {
  let said: string | undefined
  void last.ended.then((ran) => {
    said = ran.said
  })
  for (;;) {
    const { active = 0 } = await jobStates(database)
    // The others hold no more than this.
    if (active > (workers - 1) * JOBS_IN_HAND) return
    if (said !== undefined) throw new Error(`a worker ended: ${said}`)
    await sleep(LOOK_AGAIN_MS)
  }
}
