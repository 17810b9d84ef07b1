import type { Question } from '../lookup.ts'
import { readSeenAs, type SeenAs } from '../seen-as.ts'
import { storable } from '../storable.ts'
import { type AnsweredEntry, ENTRY, type KnownImage, toKnown } from './answers.ts'
import type { Database } from './database.ts'

/** What the ledger has of a source: the answered image that it held, and what tells that it still holds it. */
export interface Remembered {
  seenAs: SeenAs
  known: KnownImage
}

/** What is remembered of a source, beside the question that is asked now; undefined for nothing. */
export type Recalled = (source: string, question: Question) => Remembered | undefined

/** $1 sources, each once, as a JSON list. What was read last comes last. */
const RECALL = `
  SELECT s.source AS seen_source, s.seen_as, ${ENTRY}
  FROM jsonb_array_elements_text($1::jsonb) AS given (source)
  JOIN image_sources s ON md5(s.source) = md5(given.source) AND s.seen_as IS NOT NULL
  JOIN plate_lookups l ON l.image_sha256 = s.image_sha256 AND l.response IS NOT NULL
  ORDER BY s.last_seen_at`

/**
 * Asks the ledger about many sources at once. What it gives tells of one source, and is read only then: a list of millions
 * goes by here.
 */
export function createRecall(database: Database) {
  type Row = AnsweredEntry & { seen_source: string; seen_as: unknown }
  return async (sources: readonly string[]): Promise<Recalled> => {
    const given = JSON.stringify(storable([...new Set(sources)]))
    const rows = await database.query<Row>(RECALL, [given])
    const found = new Map(rows.map((row) => [row.seen_source, row]))
    return (source, question) => {
      const row = found.get(source)
      const seenAs = readSeenAs(row?.seen_as)
      return row && seenAs && { seenAs, known: toKnown(row, question) }
    }
  }
}
