import { ADVICE } from './advice.ts'
import { IngestError, LookupFailure, messageOf } from './errors.ts'
import type { IngestResult } from './ingest.ts'
import type { Outcome } from './outcome.ts'
import { stoppedBy } from './tally.ts'

/** A failure as the machine-readable output gives it. */
export function errorRecord(error: unknown): { code: string; message: string; hint: string } {
  if (error instanceof IngestError) {
    const { code, message, hint } = error
    return { code, message, hint }
  }
  return { code: 'internal', message: messageOf(error), hint: ADVICE.internal.hint }
}

/** One line of `--json` for one image. */
export function imageRecord(outcome: Outcome) {
  const { ref, ms } = outcome
  const base = { event: 'image', line: ref.line, source: ref.source, outcome: outcome.outcome }
  if ('error' in outcome) {
    const { error } = outcome
    const wasAsked = error instanceof LookupFailure && error.attempts > 0
    return { ...base, error: errorRecord(error), lookup: wasAsked, ms }
  }
  const { sha256, mime, size } = outcome.image
  const plates = outcome.readings.map((reading) => ({
    plate_text: reading.plate ?? null,
    plate_confidence: reading.score ?? null,
    stored: outcome.rowPlaces.includes(reading.index),
  }))
  const purged = outcome.isPurged ? { purged: true } : {}
  return { ...base, sha256, mime, size, lookup: outcome.wasLookedUp, plates, ...purged, ms }
}

/** The last line of `--json`. A dry run has one figure more. */
export function summaryRecord(
  { tally, seconds, reason, left }: Omit<IngestResult, 'spooled'>,
  isDryRun: boolean,
) {
  const { would_look_up, ...counts } = tally
  const stopped = reason === undefined ? null : (stoppedBy(reason) ?? 'internal')
  const dryRun = isDryRun ? { dry_run: true, would_look_up } : {}
  const took = { seconds: Number(seconds.toFixed(1)), stopped }
  // Lines that failed to be read or were skipped make the two differ in a run that got through.
  return {
    event: 'summary',
    ...counts,
    ...dryRun,
    ...took,
    left: stopped === null ? 0 : (left ?? null),
  }
}
