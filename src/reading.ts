import type { Dispatcher } from 'undici'
import type { Database } from './db/database.ts'
import { createRecall } from './db/recall.ts'
import { fetchWithRetry } from './fetching.ts'
import { meets } from './filter.ts'
import type { ImageRef } from './image-list.ts'
import { linesWithMemory } from './memory.ts'
import { type IngestOptions, questionOf } from './options.ts'
import type { Deps, Line } from './pipeline.ts'

/** Fetching as the options say, with its own connections. */
export function createFetch(
  { maxImageBytes, fetchTimeout }: IngestOptions,
  dispatcher: Dispatcher,
): Deps['fetchImage'] {
  const access = { maxBytes: maxImageBytes, timeoutMs: fetchTimeout * 1_000, dispatcher }
  return ({ text, remembered }, signal) => fetchWithRetry(text, access, signal, remembered?.seenAs)
}

/** What is remembered of sources, unless all of them are to be read anyway. */
export function createMemory(
  database: Database,
  options: IngestOptions,
): (refs: AsyncIterable<ImageRef>) => AsyncGenerator<Line> {
  const { force, reread, confidenceThreshold } = options
  // Nothing is remembered, and everything read.
  const forgets = async () => () => undefined
  if (force || reread) return (refs) => linesWithMemory(refs, forgets, meets(confidenceThreshold))
  const recall = createRecall(database, questionOf(options))
  return (refs) => linesWithMemory(refs, recall, meets(confidenceThreshold))
}
