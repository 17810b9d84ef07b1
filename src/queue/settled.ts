import type { JobResult } from 'pg-boss'
import type { ErrorCode } from '../advice.ts'
import { FetchError, IngestError, LookupFailure } from '../errors.ts'
import type { Outcome } from '../outcome.ts'
import { errorRecord } from '../run-records.ts'

/**
 * Failures that another try may mend without paying twice: what was away, slow, or not there yet. All others are the
 * image's own, or may have been billed, and wait for a person.
 */
const MAY_PASS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'file_not_found',
  'file_unreadable',
  'http_not_found',
  'http_error',
  'fetch_unreachable',
  'fetch_timeout',
  'short_body',
  'empty_image',
  'truncated_image',
  'api_error',
  'api_unreachable',
  'storage_failed',
  'database_failed',
  'claim_lost',
])

/** May another try mend it? */
function mayPass(error: unknown): boolean {
  // Its answer is kept: the next try pays nothing. What cannot be stored, it could not store either.
  if (error instanceof LookupFailure && error.isAnswered) return error.code !== 'answer_unusable'
  return error instanceof IngestError && MAY_PASS.has(error.code)
}

/** A failure, told as what it is for its job: of its last try, or of one that gives it back to the queue. */
export function inQueue(outcome: Outcome, hasTries: boolean): Outcome {
  const isReturned = outcome.outcome === 'failed' && hasTries && mayPass(outcome.error)
  return isReturned ? { ...outcome, outcome: 'returned' } : outcome
}

/** An image's outcome as its job keeps it: no plates, for a job outlives a purge. */
export function settled(id: string, outcome: Outcome): JobResult {
  if ('error' in outcome) {
    const status = outcome.outcome === 'returned' ? 'failed' : 'deadletter'
    return { id, status, output: errorRecord(outcome.error) }
  }
  const { image, rows, wasLookedUp, ms } = outcome
  const told = { outcome: outcome.outcome, sha256: image.sha256, rows, lookup: wasLookedUp, ms }
  return { id, status: 'completed', output: told }
}

/** A job of which nothing can be made. */
export function notOurs(id: string): JobResult {
  const error = new FetchError('bad_job', `Job ${id} names no image.`)
  return { id, status: 'deadletter', output: errorRecord(error) }
}
