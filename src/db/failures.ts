import { inBatches } from '../batches.ts'
import { IngestError } from '../errors.ts'
import { storable } from '../storable.ts'
import type { Database } from './database.ts'

/** $1 failures [{source, code, message}], each source once. */
const NOTE = `
  INSERT INTO image_failures AS f (source, code, message)
  SELECT source, code, message FROM jsonb_to_recordset($1::jsonb) AS g (source text, code text, message text)
  ORDER BY md5(source)
  ON CONFLICT (md5(source)) DO UPDATE
    SET code = excluded.code, message = excluded.message, failed_at = now(), times = f.times + 1`

const MOST_FAILURES = 100

/** Remembers sources that failed, and why, until their image is had (the claim forgets it). Redacted text only. */
export function createFailures(database: Database) {
  const noteTogether = inBatches(async (failures: readonly { source: unknown }[]) => {
    await database.query(NOTE, [JSON.stringify(failures)])
    return failures
  }, MOST_FAILURES)
  return async function noteFailure(source: string, error: unknown): Promise<void> {
    const code = error instanceof IngestError ? error.code : 'internal'
    const message = error instanceof Error ? error.message : String(error)
    await noteTogether({ source: storable(source), ...{ code, message: storable(message) } })
  }
}
