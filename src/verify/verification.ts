import type { Database } from '../db/database.ts'
import type { Objects } from '../storage/objects.ts'
import type { Bytes } from './bytes.ts'
import type { Counts, Finding } from './problem.ts'

/** What every part of a verification works with. */
export interface Verification {
  database: Database
  /** Undefined where no bucket is set. */
  objects: Objects | undefined
  bytes: Bytes
  /** Are the bytes themselves hashed? */
  mayReadData: boolean
  counts: Counts
  /** Tells of a finding, mended or not; throws only what ends the verification. */
  report(finding: Finding): Promise<void>
  signal: AbortSignal
}
