import { adviceOn } from './advice.ts'
import { localTime } from './local-time.ts'
import type { QueueOverview, Worker } from './queue/overview.ts'
import { counted, visible } from './run-report.ts'
import { tableLines } from './table.ts'
import { timeLeft } from './time-left.ts'

/** The one line of `queue status --json`; times are ISO strings in UTC. @param pace as `queue pace --json` has it */
export function queueRecord(databaseName: string, overview: QueueOverview, pace: object | null) {
  const { waiting, later, next, atWork, abandoned, done, failed, workers } = overview
  const { imagesPerSecond, leftS } = overview
  return {
    event: 'queue',
    database: databaseName,
    ...{ waiting, later, next_try_at: next?.at.toISOString() ?? null },
    ...{ at_work: atWork, abandoned, done_24h: done },
    failed: {
      total: totalOf(overview),
      by_code: Object.fromEntries(failed.map(({ code, lines }) => [code, lines])),
    },
    images_per_second: Number(imagesPerSecond.toFixed(2)),
    seconds_left: leftS === undefined ? null : Math.ceil(leftS),
    workers: workers.map(({ host, processId, startedAt }) => ({
      ...{ host, process_id: processId, started_at: startedAt.toISOString() },
    })),
    pace,
  }
}

/** The same for people; what there is none of has no line. @param paceLines what is told of the account's pace */
export function queueLines(
  databaseName: string,
  overview: QueueOverview,
  paceLines: readonly string[],
): string[] {
  return [
    `Database: ${visible(databaseName)}`,
    ...figureLines(overview),
    ...rateLines(overview),
    ...workerLines(overview),
    ...paceLines,
    ...failedLines(overview),
  ]
}

/** Lines that failed for good. */
export function totalOf({ failed }: Pick<QueueOverview, 'failed'>): number {
  return failed.reduce((sum, { lines }) => sum + lines, 0)
}

/** How many lines are where, figures under each other. */
function figureLines(overview: QueueOverview): string[] {
  const { waiting, later, next, atWork, abandoned, done } = overview
  const figures: [n: number, label: string][] = [
    [waiting, 'waiting'],
    [later, `of these to be tried again later, the next in ${timeLeft(next?.inS ?? 0)}`],
    [atWork, 'at work'],
    [abandoned, 'of these left by workers that died: the next worker takes them'],
    [done, 'done in the last 24 hours; the queue forgets what was done before'],
    [totalOf(overview), 'failed for good'],
  ]
  const shown = figures
    .filter(([n]) => n > 0)
    .map(([n, label]) => [n.toLocaleString('en-US'), label] as const)
  if (shown.length === 0) return ['The queue is empty.']
  const width = Math.max(...shown.map(([n]) => n.length))
  const empty = waiting + atWork === 0 ? ['No line waits.'] : []
  return [...empty, ...shown.map(([n, label]) => `  ${n.padStart(width)} ${label}`)]
}

function rateLines({ imagesPerSecond, leftS, workers }: QueueOverview): string[] {
  if (leftS === undefined) return []
  // Without a worker it goes on at no rate at all.
  const isGoingOn = leftS > 0 && workers.length > 0
  const left = isGoingOn ? `, ${timeLeft(leftS)} left at that rate` : ''
  const digits = imagesPerSecond < 1 ? 2 : 1
  return [`${imagesPerSecond.toFixed(digits)} images a second over the last minute${left}`]
}

function workerLines({ workers, waiting, atWork }: QueueOverview): string[] {
  if (workers.length > 0) return [`${counted(workers.length, 'worker')} ${hostsOf(workers)}`]
  if (waiting + atWork === 0) return []
  return ['No worker is running: start one with plate-snapshot work.']
}

/** `on gate-1`; `(8 on gate-1, 1 on gate-2)` */
function hostsOf(workers: readonly Worker[]): string {
  const byHost = new Map<string, number>()
  for (const { host } of workers) byHost.set(host, (byHost.get(host) ?? 0) + 1)
  const hosts = [...byHost].map(([host, n]) => ({ n, on: `on ${visible(host)}` }))
  if (hosts.length === 1) return hosts.map(({ on }) => on).join()
  return `(${hosts.map(({ n, on }) => `${n} ${on}`).join(', ')})`
}

function failedLines({ failed }: QueueOverview): string[] {
  if (failed.length === 0) return []
  const head = 'lines'
  const numbers = failed.map(({ lines }) => lines.toLocaleString('en-US'))
  const width = Math.max(head.length, ...numbers.map(({ length }) => length))
  const rows = failed.map(({ code, newest }, n) => [
    numbers[n]?.padStart(width) ?? '',
    visible(code),
    localTime(newest),
    adviceOn(code),
  ])
  return [
    '',
    'Failed for good:',
    ...tableLines([head, 'reason', 'newest', 'what to do'], rows),
    'plate-snapshot queue failed lists them, plate-snapshot queue retry-failed puts them back.',
  ]
}
