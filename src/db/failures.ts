import { IngestError } from '../errors.ts'
import { storable } from '../response.ts'
import type { Database } from './database.ts'

const NOTE = `
  INSERT INTO image_failures AS f (source, code, message) VALUES ($1, $2, $3)
  ON CONFLICT (md5(source)) DO UPDATE
    SET code = excluded.code, message = excluded.message, failed_at = now(), times = f.times + 1`

/** Remembers a source that failed, and why, until its image is had (the claim forgets it). Redacted text only. */
export async function noteFailure(
  database: Database,
  source: string,
  error: unknown,
): Promise<void> {
  const code = error instanceof IngestError ? error.code : 'internal'
  const message = error instanceof Error ? error.message : String(error)
  await database.query(NOTE, [storable(source), code, storable(message)])
}
