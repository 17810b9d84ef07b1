import { explainRefusal } from './account.ts'
import type { Settings } from './config.ts'
import { LookupError } from './errors.ts'
import type { ImageRef, OpenedList } from './image-list.ts'
import { createStopper, ingestAll, type Stopper } from './ingest-all.ts'
import { linesWithMemory } from './memory.ts'
import { openPreview } from './open-preview.ts'
import { type IngestOptions, wantedOf } from './options.ts'
import type { Outcome } from './outcome.ts'
import { summaryRecord } from './run-records.ts'
import type { Spool } from './spool.ts'
import { count, createTally, type Tally } from './tally.ts'
import { type Wanted, type WantedLine, wantedOfLine } from './wanted.ts'
import { type Opened, openIngest, type RunEvents } from './wiring.ts'

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

/** One run over a list: opens what it needs, takes the list through the pipeline, and closes everything again. Throws nothing. */
export function runIngest(
  settings: Settings,
  options: IngestOptions,
  list: OpenedList,
  events: IngestEvents,
  signal: AbortSignal,
): Promise<IngestResult> {
  const { dryRun, grace, stopAfter } = options
  const open = dryRun ? openPreview : openIngest
  const wanted = wantedOf(options)
  const { cameraFromPath } = options
  return runWith(settings, events, {
    ...{ graceS: grace, isDryRun: dryRun, lines: list.count, archive: options.archive },
    open: (runEvents, stopper) => open(settings, options, runEvents, stopper),
    drive: ({ inFlight, ingestOne, recall }, onOutcome, stopper) =>
      ingestAll(
        (stop) =>
          linesWithMemory(
            allWanted(list.images(stop), (ref) => wantedOfLine(ref, wanted, cameraFromPath)),
            recall,
          ),
        { inFlight, stopAfter, ingestOne, onOutcome },
        stopper,
        signal,
      ),
  })
}

/** What runs differ in. */
export interface RunPlan {
  /** `--grace`, in seconds. */
  graceS: number
  isDryRun: boolean
  /** Where files are moved, if anywhere. */
  archive: string | undefined
  /** Lines there are, where that can be known. */
  lines: number | undefined
  open: (events: RunEvents, stopper: Stopper) => Promise<Opened>
  /** Takes images through until there are no more, or the stopper halts. @returns what stopped it */
  drive: (
    opened: Opened,
    onOutcome: (outcome: Outcome) => void,
    stopper: Stopper,
  ) => Promise<unknown>
}

/** A run from its opening to its end, counted and told. Throws nothing. */
export async function runWith(
  { api }: Settings,
  events: IngestEvents,
  { graceS, isDryRun, archive, lines, open, drive }: RunPlan,
): Promise<IngestResult> {
  const tally = createTally(archive === undefined ? undefined : { isDryRun })
  const started = performance.now()
  const end = (reason: unknown, spool?: Spool): IngestResult => ({
    tally,
    reason,
    seconds: (performance.now() - started) / 1_000,
    left: lines === undefined ? undefined : Math.max(0, lines - tally.images),
    lost: spool?.unkept ?? 0,
    spooled: spool && spool.left > 0 ? { file: spool.file, answers: spool.left } : undefined,
  })

  const stopper = createStopper(graceS * 1_000)
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
    const opened = await open(runEvents, stopper)
    let summary: object | undefined
    try {
      await events.onOpen?.(opened)
      const reason = await drive(opened, onOutcome, stopper)
      const isRefusal = reason instanceof LookupError && reason.code === 'api_refused'
      const told = isRefusal ? await explainRefusal(reason, api) : reason
      const result = end(told, opened.spool)
      summary = summaryRecord(result, isDryRun)
      return result
    } finally {
      await opened.close(summary)
    }
  } catch (thrown) {
    return end(thrown)
  }
}

/** Every line of the list with what is wanted of it. */
async function* allWanted(
  refs: AsyncIterable<ImageRef>,
  wantedOfRef: (ref: ImageRef) => Wanted,
): AsyncGenerator<WantedLine> {
  for await (const ref of refs) yield { ...ref, wanted: wantedOfRef(ref) }
}
