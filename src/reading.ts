import type { Dispatcher } from 'undici'
import { findingMoved } from './archive.ts'
import type { Database } from './db/database.ts'
import { createRecall, type Recalled } from './db/recall.ts'
import type { FetchOptions } from './download.ts'
import { FetchError } from './errors.ts'
import { fetchWithRetry } from './fetching.ts'
import type { RunOptions } from './options.ts'
import type { Deps } from './pipeline.ts'

/** Fetching as the options say, with its own connections. */
export function createFetch(
  options: Pick<
    RunOptions,
    'maxImageBytes' | 'maxImagePixels' | 'fetchTimeout' | 'local' | 'root' | 'archive'
  >,
  dispatcher: Dispatcher,
): Deps['fetchImage'] {
  const { maxImageBytes, maxImagePixels, fetchTimeout, local, root, archive } = options
  const access = {
    ...{ maxBytes: maxImageBytes, maxPixels: maxImagePixels, timeoutMs: fetchTimeout * 1_000 },
    ...{ local, root, dispatcher },
  }
  const fetchBy =
    (how: FetchOptions): Deps['fetchImage'] =>
    async ({ text, problem, remembered }, signal) => {
      if (problem !== undefined) throw new FetchError(problem.code, problem.message)
      return fetchWithRetry(text, how, signal, remembered?.seenAs)
    }
  const fetchImage = fetchBy(access)
  if (archive === undefined) return fetchImage
  return findingMoved(fetchImage, fetchBy({ ...access, root: undefined }), archive)
}

/** What is remembered of sources, unless all of them are to be read anyway. */
export function createMemory(
  database: Database,
  { force, reread }: Pick<RunOptions, 'force' | 'reread'>,
): (sources: readonly string[]) => Promise<Recalled> {
  return force || reread ? async () => () => undefined : createRecall(database)
}
