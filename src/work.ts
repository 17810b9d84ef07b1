import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings } from './config.ts'
import { IngestError, InterruptedError } from './errors.ts'
import { type IngestEvents, type IngestResult, runWith } from './ingest.ts'
import { createSettle } from './ingest-all.ts'
import type { WorkOptions } from './options.ts'
import { QUEUE, WORKER } from './queue/boss.ts'
import { openQueue } from './queue/install.ts'
import { createForgetting, isEmpty } from './queue/jobs.ts'
import { startWorkers } from './queue/workers.ts'
import { openIngest } from './wiring.ts'

/** Troubles of pg-boss's own that are told, each once: a worker may run for months. */
const MOST_TOLD = 20

/** How often `--until-empty` looks whether it is, in milliseconds. */
const LOOK_EVERY_MS = 500

/**
 * A worker that dies is noticed when its jobs have shown no sign of life for 12 s, by whoever looks next: 24 s at the
 * latest while one other lives.
 */
const LOOKING_AFTER = {
  ...{ supervise: true, superviseIntervalSeconds: 6, monitorIntervalSeconds: 6 },
  ...{
    maintenanceIntervalSeconds: 600,
    registerInstance: true,
    instanceName: WORKER,
    // Three are missed before `queue status` takes it for gone.
    instanceHeartbeatSeconds: 5,
  },
} as const

/**
 * One worker: takes jobs of the queue through the pipeline until it is told to stop, or with `untilEmpty` until there are
 * none. Throws nothing.
 */
export function runWork(
  settings: Settings,
  options: WorkOptions,
  events: IngestEvents,
  signal: AbortSignal,
): Promise<IngestResult> {
  const { grace, stopAfter, untilEmpty } = options
  const ofWorker = { ...options, force: false, reread: false, isWorker: true } as const
  return runWith(settings, events, {
    ...{ graceS: grace, isDryRun: false, lines: undefined, archive: options.archive },
    open: (runEvents, stopper) => openIngest(settings, ofWorker, runEvents, stopper),
    async drive({ database, inFlight, ingestOne, recall }, onOutcome, stopper) {
      const { stop, halt } = stopper
      const interrupt = () =>
        halt(new InterruptedError({ hint: 'What was not finished went back into the queue.' }))
      signal.addEventListener('abort', interrupt, { once: true })
      if (signal.aborted) interrupt()
      const told = new Set<string>()
      const onTrouble = (error: Error) => {
        if (error instanceof IngestError && error.scope === 'run') halt(error)
        // pg-boss adds which of its own workers it was.
        const said = error.message.replace(/ \(Queue: .*\)$/, '').replace(/\.$/, '')
        if (stop.aborted || told.has(said) || told.size >= MOST_TOLD) return
        told.add(said)
        events.onNotice?.(`The queue has trouble: ${said}. It is tried again.`)
      }
      const boss = await openQueue(database, settings.queueSchema, onTrouble, LOOKING_AFTER)
      const forgetting = createForgetting(database, settings.queueSchema)
      try {
        await startWorkers({
          ...{ boss, database, inFlight, recall, onOutcome, stop },
          settle: createSettle({ stopAfter, ingestOne }, stopper),
          onSecretDone: forgetting.add,
        })
        await stopped(stop, async () => untilEmpty && isEmpty(database, settings.queueSchema))
      } catch (thrown) {
        halt(thrown)
      } finally {
        signal.removeEventListener('abort', interrupt)
        // Waits for what is in hand, however long that may take.
        await boss.offWork(QUEUE)
        await boss.stop()
        await forgetting.end()
      }
      return stop.reason
    },
  })
}

/** Resolves when `stop` aborts, or when there is nothing to do any more. */
async function stopped(stop: AbortSignal, isDone: () => Promise<boolean>): Promise<void> {
  while (!stop.aborted && !(await isDone())) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => {})
  }
}
