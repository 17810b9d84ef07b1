import type { ErrorCode } from './advice.ts'
import { IngestError, LookupFailure } from './errors.ts'
import type { Archiving, Outcome } from './outcome.ts'
import { schemeOf } from './source.ts'

/** Why a run ended early, as `stopped` in the summary says it. */
export type Stopped =
  | 'interrupted'
  | 'max_lookups'
  | 'api_refused'
  | 'api_down'
  | 'database_down'
  | 'storage_down'

/** What a run did, in the names of the summary line. Sizes in bytes. */
export interface Tally {
  images: number
  stored: number
  below_threshold: number
  no_plate: number
  duplicate: number
  failed: number
  /** Tries that failed and whose image went back into the queue; they count nowhere else but in what was asked. */
  returned: number
  /** Rows written. */
  rows: number
  /** Images asked about. */
  lookups: number
  /** Images whose answer the ledger had: lookups that were not bought again. */
  lookups_saved: number
  /** Images of which another picture was sent than is stored: upright, converted or smaller. */
  fitted: number
  /** Requests sent to the API. */
  attempts: number
  /** Requests whose answer was lost, and which may have been billed. */
  uncertain: number
  uploads: number
  /** Bytes of the images read. */
  bytes: number
  /** Duplicates whose stored answer was to other regions, mmc or engine configuration. */
  asked_differently: number
  /** Duplicates whose source was as it had been, and was not read again. */
  unchanged: number
  /** Of these, URLs whose server said so (304). */
  not_modified: number
  /** Duplicates that were purged before: neither stored nor looked up. */
  purged: number
  /** Rows of known images that are below this run's threshold; they stay. */
  rows_below: number
  /** Only `--dry-run`: images that a run would look up. */
  would_look_up: number
  /** Only with `--archive`: files moved there. */
  archived?: number
  /** Only with `--archive`: files that could not be moved. */
  not_archived?: number
  /** Only with both: files that a run would move. */
  would_archive?: number
}

/** @param archive is there one, and is anything moved there? */
export function createTally(archive?: { isDryRun: boolean } | undefined): Tally {
  const moving = archive?.isDryRun ? { would_archive: 0 } : { archived: 0, not_archived: 0 }
  return {
    images: 0,
    stored: 0,
    below_threshold: 0,
    no_plate: 0,
    duplicate: 0,
    failed: 0,
    returned: 0,
    rows: 0,
    lookups: 0,
    lookups_saved: 0,
    fitted: 0,
    attempts: 0,
    uncertain: 0,
    uploads: 0,
    bytes: 0,
    asked_differently: 0,
    unchanged: 0,
    not_modified: 0,
    purged: 0,
    rows_below: 0,
    would_look_up: 0,
    ...(archive && moving),
  }
}

/** Counts an outcome. `attempts` and `uncertain` are counted where requests are sent, outcomes or not. */
export function count(tally: Tally, outcome: Outcome): void {
  if (outcome.outcome !== 'returned') tally.images += 1
  tally[outcome.outcome] += 1
  if ('error' in outcome) {
    if (outcome.error instanceof LookupFailure && outcome.error.attempts > 0) tally.lookups += 1
    return
  }
  tally.rows += outcome.rows
  tally.rows_below += outcome.rowsBelow
  if (outcome.isPurged) tally.purged += 1
  if (outcome.isUnchanged) {
    tally.unchanged += 1
    if (schemeOf(outcome.ref.text) !== undefined) tally.not_modified += 1
  } else tally.bytes += outcome.image.size ?? 0
  if (outcome.wasLookedUp) tally.lookups += 1
  if (outcome.isSaved) tally.lookups_saved += 1
  if (outcome.uploadedBytes > 0) tally.uploads += 1
  if (outcome.isFitted) tally.fitted += 1
  if (outcome.wasAskedDifferently) tally.asked_differently += 1
  if (outcome.archiving !== undefined) countArchiving(tally, outcome.archiving)
}

function countArchiving(tally: Tally, archiving: Archiving): void {
  const counts = { moved: 'archived', failed: 'not_archived', 'to move': 'would_archive' } as const
  const name = counts[archiving]
  tally[name] = (tally[name] ?? 0) + 1
}

/** The name of what stopped a run; undefined for an error that only a bug can explain. */
export function stoppedBy(reason: unknown): Stopped | undefined {
  if (!(reason instanceof IngestError)) return undefined
  switch (reason.code) {
    case 'interrupted':
    case 'max_lookups':
    case 'api_refused':
    case 'api_down':
      return reason.code
    case 'storage_down':
    case 'storage_refused':
    case 'spool_failed':
      return 'storage_down'
    case 'database_down':
    case 'schema_missing':
    case 'schema_old':
    case 'schema_new':
    case 'folder_locked':
    case 'folder_unusable':
      return 'database_down'
    default:
      return undefined
  }
}

/** What the user gave is wrong, and nothing was begun. */
const WRONG_INPUT = new Set<ErrorCode>(['config', 'query_refused'])

/** The exit code of a run that did `tally` and was stopped by `reason` (undefined: by nothing). */
export function exitCodeOf(
  tally: Pick<Tally, 'failed' | 'not_archived'>,
  reason: unknown,
  signal?: 'SIGINT' | 'SIGTERM',
): number {
  if (signal !== undefined) return signal === 'SIGINT' ? 130 : 143
  if (reason instanceof IngestError && WRONG_INPUT.has(reason.code)) return 2
  if (reason !== undefined) return stoppedBy(reason) === undefined ? 1 : 3
  return tally.failed + (tally.not_archived ?? 0) > 0 ? 1 : 0
}
