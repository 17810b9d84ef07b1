import { explainRefusal } from './account.ts'
import type { Settings } from './config.ts'
import { LookupError } from './errors.ts'
import type { OpenedList } from './image-list.ts'
import { ingestAll } from './ingest-all.ts'
import type { IngestOptions } from './options.ts'
import type { Outcome } from './pipeline.ts'
import { count, createTally, type Tally } from './tally.ts'
import { type Opened, openIngest, openPreview } from './wiring.ts'

/** What a run tells while it is under way. */
export interface IngestEvents {
  /** Everything is open and nothing spent yet: where rows and images go. */
  onOpen?: ((opened: Opened) => void) | undefined
  onOutcome?: ((outcome: Outcome, tally: Readonly<Tally>) => void) | undefined
  /** The API asked everybody to wait. */
  onThrottled?: ((waitMs: number) => void) | undefined
}

/** How a run ended. `reason` is what stopped it, undefined when it got through the list. */
export interface IngestResult {
  tally: Tally
  seconds: number
  reason: unknown
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
  const end = (reason: unknown) => ({
    tally,
    reason,
    seconds: (performance.now() - started) / 1_000,
  })

  const open = options.dryRun ? openPreview : openIngest
  const onAttempt = () => {
    tally.attempts += 1
  }
  const onOutcome = (outcome: Outcome) => {
    count(tally, outcome)
    events.onOutcome?.(outcome, tally)
  }
  try {
    const opened = await open(settings, options, {
      onAttempt,
      onThrottled: (waitMs) => events.onThrottled?.(waitMs),
    })
    try {
      events.onOpen?.(opened)
      const { concurrency, stopAfter, grace } = options
      const bounds = { concurrency, stopAfter, graceMs: grace * 1_000 }
      const reason = await ingestAll(
        list.images,
        { ...bounds, ingestOne: opened.ingestOne, onOutcome },
        signal,
      )
      const isRefusal = reason instanceof LookupError && reason.code === 'api_refused'
      return end(isRefusal ? await explainRefusal(reason, settings.api) : reason)
    } finally {
      await opened.close()
    }
  } catch (thrown) {
    return end(thrown)
  }
}
