import type { JobInsert, JobWithMetadata, PgBoss } from 'pg-boss'
import { inBatches } from '../batches.ts'
import type { Database } from '../db/database.ts'
import type { Recalled } from '../db/recall.ts'
import { withMemory } from '../memory.ts'
import type { Outcome } from '../outcome.ts'
import type { Line } from '../pipeline.ts'
import type { WantedLine } from '../wanted.ts'
import { QUEUE, withinTransaction } from './boss.ts'
import { readJob } from './job.ts'
import { inQueue, notOurs, settled } from './settled.ts'

/** How often a worker with nothing to do looks into the queue, in seconds. */
const IDLE_POLL_S = 2
/** The priority of what was given back. */
const BEFORE_OTHERS = 1
/** Lines that the ledger is asked about at once. */
const MOST_LINES = 128

export interface WorkersOptions {
  boss: PgBoss
  database: Database
  /** Jobs in hand at once. */
  inFlight: number
  recall: (sources: readonly string[]) => Promise<Recalled>
  /** Takes a line to its outcome; nothing for an image that is as if it had never been begun. */
  settle: (line: Line) => Promise<Outcome | undefined>
  onOutcome: (outcome: Outcome) => void
  /** Nothing new is to be begun. */
  stop: AbortSignal
  /** A job is done whose link must not outlive it. */
  onSecretDone: (job: { id: string; source: string }) => void
}

/** Begins to take jobs. What is in hand when `stop` aborts goes back, unless it is past that. */
export async function startWorkers({
  boss,
  database,
  inFlight,
  recall,
  settle,
  onOutcome,
  stop,
  onSecretDone,
}: WorkersOptions): Promise<void> {
  const remember = inBatches(async (lines: readonly WantedLine[]) => {
    const recalled = await recall(lines.map(({ source }) => source))
    return lines.map((line) => withMemory(line, recalled))
  }, MOST_LINES)

  async function work(job: JobWithMetadata) {
    const line = readJob(job.data)
    if (line === undefined) return [notOurs(job.id)]
    const end = stop.aborted ? undefined : await settle(await remember(line))
    if (end === undefined) {
      await giveBack(boss, database, job)
      return [{ id: job.id, status: 'completed' as const }]
    }
    const outcome = inQueue(end, job.retryCount < job.retryLimit)
    onOutcome(outcome)
    if (line.text !== line.source) onSecretDone({ id: job.id, source: line.source })
    return [settled(job.id, outcome)]
  }

  const options = {
    perJobResults: true,
    includeMetadata: true,
    pollingIntervalSeconds: IDLE_POLL_S,
  } as const
  // Each is one of its own, so that it can be told to look for the next job at once.
  for (let place = 0; place < inFlight; place += 1) {
    const id: string = await boss.work<object, unknown, typeof options>(
      QUEUE,
      options,
      async ([job]) => {
        try {
          return job === undefined ? [] : await work(job)
        } finally {
          boss.notifyWorker(id)
        }
      },
    )
  }
}

/** A job as if nobody had taken it, before others: none of its tries is used up. Nothing when it is another's by now. */
async function giveBack(
  boss: PgBoss,
  database: Database,
  { id, data, retryCount, ...job }: JobWithMetadata,
): Promise<void> {
  const { singletonKey, retryLimit, retryDelay, retryBackoff } = job
  const { expireInSeconds, deleteAfterSeconds, heartbeatSeconds, groupId, groupTier } = job
  const again: JobInsert = {
    data,
    priority: Math.max(job.priority, BEFORE_OTHERS),
    // What it has left of them.
    retryLimit: Math.max(0, retryLimit - retryCount),
    ...{ retryDelay, retryBackoff, expireInSeconds, deleteAfterSeconds },
    ...(singletonKey !== null && { singletonKey }),
    ...(heartbeatSeconds !== null && { heartbeatSeconds }),
    ...(groupId && { group: { id: groupId, ...(groupTier && { tier: groupTier }) } }),
  }
  await database.transaction(async (transaction) => {
    const within = withinTransaction(transaction)
    const deleted = await boss.deleteJob(QUEUE, { id, retryCount }, within)
    if ('affected' in deleted && deleted.affected === 0) return
    await boss.insert(QUEUE, [again], within)
  })
}
