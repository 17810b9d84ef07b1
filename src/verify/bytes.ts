import type { Queryable } from '../db/database.ts'
import { messageOf } from '../errors.ts'
import { fetchWithRetry } from '../fetching.ts'
import { createDispatcher } from '../http.ts'
import type { Reach } from '../options.ts'
import { guardOfImages } from '../reach.ts'
import type { Objects } from '../storage/objects.ts'
import {
  type FoundBytes,
  mostBytesOf,
  type Whereabouts as Stored,
  storedBytes,
} from '../stored-bytes.ts'

/** Where the bytes of an image may be; `object` one that was not seen to be damaged. */
export interface Whereabouts extends Stored {
  source: string | undefined
}

const SOURCES =
  'SELECT source FROM image_sources WHERE image_sha256 = $1 ORDER BY last_seen_at DESC LIMIT 20'
/** Milliseconds, for one image. */
const FETCH_TIMEOUT_MS = 30_000
const MOST_TOLD = 3

export type Bytes = ReturnType<typeof createBytes>

/** Looks for the bytes of an image wherever they are known to have been, and may be fetched from. Costs no lookup. */
export function createBytes(
  database: Queryable,
  objects: Objects | undefined,
  reach: Reach,
  signal: AbortSignal,
) {
  const dispatcher = createDispatcher(FETCH_TIMEOUT_MS, { guard: guardOfImages(reach) })
  const { local, root } = reach

  /** The bytes behind a source, or why they are not the image's. */
  async function fromSource(source: string, sha256: string, maxBytes: number) {
    // Only the bytes that were let pass once are taken: they have the right hash.
    const maxPixels = Number.POSITIVE_INFINITY
    const limits = { maxBytes, maxPixels, timeoutMs: FETCH_TIMEOUT_MS }
    const options = { ...limits, local, root, dispatcher }
    try {
      const image = await fetchWithRetry(source, options, signal)
      return image.sha256 === sha256 ? image.bytes : `${source} holds another image now.`
    } catch (thrown) {
      signal.throwIfAborted()
      return messageOf(thrown)
    }
  }

  return {
    /** In the order of what it costs: the database, the object, the sources, the last seen first. */
    async find(image: Whereabouts): Promise<FoundBytes> {
      const { sha256, source } = image
      const stored = await storedBytes(image, database, objects)
      if (stored.bytes !== undefined) return stored

      const seen = await database.query<{ source: string }>(SOURCES, [sha256])
      const sources = new Set(seen.map((row) => row.source))
      if (source !== undefined) sources.add(source)
      const whys: string[] = []
      for (const at of sources) {
        const had = await fromSource(at, sha256, mostBytesOf(image))
        if (typeof had !== 'string') return { bytes: had, from: at }
        whys.push(had)
      }
      return { bytes: undefined, why: whyNot(whys) }
    },
    close: () => dispatcher.destroy(),
  }
}

function whyNot(whys: readonly string[]): string {
  if (whys.length === 0) return 'Its bytes are nowhere, and where the image came from is not known.'
  const more = whys.length > MOST_TOLD ? ` And ${whys.length - MOST_TOLD} more.` : ''
  const told = whys.slice(0, MOST_TOLD).join(' ')
  return `It cannot be stored again: ${told}${more} Put the image back there, then verify --repair.`
}
