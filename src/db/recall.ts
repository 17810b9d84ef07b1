import type { Question } from '../lookup.ts'
import { storable } from '../response.ts'
import { readSeenAs, type SeenAs } from '../seen-as.ts'
import { type AnsweredEntry, ENTRY, type KnownImage, toKnown } from './answers.ts'
import type { Database } from './database.ts'

/** What the ledger has of a source: the answered image that it held, and what tells that it still holds it. */
export interface Remembered {
  seenAs: SeenAs
  known: KnownImage
}

/** $1 sources, each once, as a JSON list. What was read last comes last. */
const RECALL = `
  SELECT s.source AS seen_source, s.seen_as, ${ENTRY}
  FROM jsonb_array_elements_text($1::jsonb) AS given (source)
  JOIN image_sources s ON md5(s.source) = md5(given.source) AND s.seen_as IS NOT NULL
  JOIN plate_lookups l ON l.image_sha256 = s.image_sha256 AND l.response IS NOT NULL
  ORDER BY s.last_seen_at`

/** Asks the ledger about many sources at once. Those that it has no answered image of are not among what it gives. */
export function createRecall(database: Database, question: Question) {
  return async (sources: readonly string[]): Promise<ReadonlyMap<string, Remembered>> => {
    type Row = AnsweredEntry & { seen_source: string; seen_as: unknown }
    const rows = await database.query<Row>(RECALL, [
      JSON.stringify(storable([...new Set(sources)])),
    ])
    const remembered = new Map<string, Remembered>()
    for (const row of rows) {
      const seenAs = readSeenAs(row.seen_as)
      if (seenAs !== undefined) {
        remembered.set(row.seen_source, { seenAs, known: toKnown(row, question) })
      }
    }
    return remembered
  }
}
