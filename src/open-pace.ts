import { joinPace } from './db/account-pace.ts'
import type { Database } from './db/database.ts'
import { sharedPace } from './db/pace-row.ts'
import type { Run } from './db/runs.ts'
import type { IngestOptions } from './options.ts'
import { createPace, type Pace } from './pace.ts'

/** A run over a list, or a worker of the queue: its jobs say what is wanted, and its account how fast. */
export type RunKind =
  | ({ isWorker?: false } & Pick<IngestOptions, 'delay' | 'confidenceThreshold'>)
  | { isWorker: true; delay?: number | undefined }

/** In an outage a run makes all wait no longer than an image waits at first, in milliseconds: it has to come to `--stop-after`. */
const LONGEST_PAUSE_MS = 500

/** The delay of a run's own, in milliseconds; undefined for a worker, which keeps to the account's. */
export function ownDelayMs(kind: RunKind): number | undefined {
  return kind.isWorker ? undefined : kind.delay * 1_000
}

/** The pace that a run keeps to, together with all others that spend the account. */
export async function openPace(
  database: Database,
  account: string,
  run: Run,
  kind: RunKind,
): Promise<Pace> {
  if (kind.isWorker) {
    const delayMs = kind.delay === undefined ? undefined : kind.delay * 1_000
    await joinPace(database, account, run.id, delayMs)
    // What it keeps to is in the row, where it can be changed: on the embedded database too.
    return createPace(0, sharedPace(database, account, run.id))
  }
  const shared = database.isEmbedded
    ? undefined
    : sharedPace(database, account, run.id, LONGEST_PAUSE_MS)
  return createPace(kind.delay * 1_000, shared)
}
