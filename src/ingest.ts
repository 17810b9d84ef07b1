import { explainRefusal } from './account.ts'
import type { Settings } from './config.ts'
import { LookupError } from './errors.ts'
import type { ImageRef, OpenedList } from './image-list.ts'
import { createStopper, ingestAll } from './ingest-all.ts'
import { linesWithMemory } from './memory.ts'
import { openPreview } from './open-preview.ts'
import { type IngestOptions, wantedOf } from './options.ts'
import type { Outcome } from './outcome.ts'
import type { WantedLine } from './pipeline.ts'
import { summaryRecord } from './run-report.ts'
import type { Spool } from './spool.ts'
import { count, createTally, type Tally } from './tally.ts'
import type { Wanted } from './wanted.ts'
import { type Opened, openIngest } from './wiring.ts'

/** What a run tells while it is under way. */
export interface IngestEvents {
  /** Everything is open and nothing spent yet: where rows and images go. */
  onOpen?: ((opened: Opened) => void | Promise<void>) | undefined
  onOutcome?: ((outcome: Outcome, tally: Readonly<Tally>) => void) | undefined
  /** The API asked everybody to wait. */
  onThrottled?: ((waitMs: number) => void) | undefined
  /** Something that people should know, in a sentence or two: an outage that is waited out, answers read in. */
  onNotice?: ((text: string) => void) | undefined
}

/** How a run ended. */
export interface IngestResult {
  tally: Tally
  seconds: number
  /** What stopped it; undefined when it got through the list. */
  reason: unknown
  /** Lines of the list that were not come to, where their number is known. */
  left: number | undefined
  /** The file with answers that were paid for and could not be written, if there are any. */
  spooled: { file: string; answers: number } | undefined
  /** Answers that were paid for and could be kept nowhere. */
  lost: number
}

/** One run: opens what it needs, takes the list through the pipeline, and closes everything again. Throws nothing. */
export async function runIngest(
  settings: Settings,
  options: IngestOptions,
  list: OpenedList,
  events: IngestEvents,
  signal: AbortSignal,
): Promise<IngestResult> {
  const tally = createTally()
  const started = performance.now()
  const end = (reason: unknown, spool?: Spool): IngestResult => ({
    tally,
    reason,
    seconds: (performance.now() - started) / 1_000,
    left: list.count === undefined ? undefined : Math.max(0, list.count - tally.images),
    lost: spool?.unkept ?? 0,
    spooled: spool && spool.left > 0 ? { file: spool.file, answers: spool.left } : undefined,
  })

  const open = options.dryRun ? openPreview : openIngest
  const stopper = createStopper(options.grace * 1_000)
  const runEvents = {
    onAttempt() {
      tally.attempts += 1
    },
    onUncertain() {
      tally.uncertain += 1
    },
    onThrottled: (waitMs: number) => events.onThrottled?.(waitMs),
    onNotice: (text: string) => events.onNotice?.(text),
  }
  const onOutcome = (outcome: Outcome) => {
    count(tally, outcome)
    events.onOutcome?.(outcome, tally)
  }
  try {
    const opened = await open(settings, options, runEvents, stopper)
    let summary: object | undefined
    try {
      await events.onOpen?.(opened)
      const { inFlight, ingestOne, recall } = opened
      const wanted = wantedOf(options)
      const reason = await ingestAll(
        (stop) => linesWithMemory(allWanted(list.images(stop), wanted), recall),
        { inFlight, stopAfter: options.stopAfter, ingestOne, onOutcome },
        stopper,
        signal,
      )
      const isRefusal = reason instanceof LookupError && reason.code === 'api_refused'
      const told = isRefusal ? await explainRefusal(reason, settings.api) : reason
      const result = end(told, opened.spool)
      summary = summaryRecord(result, options.dryRun)
      return result
    } finally {
      await opened.close(summary)
    }
  } catch (thrown) {
    return end(thrown)
  }
}

/** Of every line of the list the same is wanted. */
async function* allWanted(
  refs: AsyncIterable<ImageRef>,
  wanted: Wanted,
): AsyncGenerator<WantedLine> {
  for await (const ref of refs) yield { ...ref, wanted }
}
