import type { Queryable } from '../db/database.ts'
import type { S3Object } from '../db/snapshots.ts'
import { messageOf } from '../errors.ts'
import { fetchWithRetry } from '../fetching.ts'
import { BodyTooLargeError, createDispatcher } from '../http.ts'
import { sha256Of } from '../sha256.ts'
import type { Objects } from './objects.ts'
import { nameOf } from './problem.ts'

/** Where the bytes of an image may be. */
export interface Whereabouts {
  sha256: string
  /** Bytes. */
  size: number | undefined
  source: string | undefined
  /** One that was not seen to be damaged. */
  object?: S3Object | undefined
}

/** The bytes of an image, their SHA-256 seen to be right, or why there are none. */
export type FoundBytes = { bytes: Buffer; from: string } | { bytes: undefined; why: string }

const IN_DATABASE = `
  SELECT image_data AS bytes FROM (
    SELECT image_data FROM plate_lookups WHERE image_sha256 = $1
    UNION ALL SELECT image_data FROM vehicle_snapshots WHERE image_sha256 = $1
  ) copies
  WHERE image_data IS NOT NULL AND encode(sha256(image_data), 'hex') = $1 LIMIT 1`
const SOURCES =
  'SELECT source FROM image_sources WHERE image_sha256 = $1 ORDER BY last_seen_at DESC LIMIT 20'
/** Milliseconds, for one image. */
const FETCH_TIMEOUT_MS = 30_000
/** Of an image whose size nobody noted. */
const MOST_BYTES = 100_000_000
const MOST_TOLD = 3

export type Bytes = ReturnType<typeof createBytes>

/** Looks for the bytes of an image wherever they are known to have been. Costs no lookup. */
export function createBytes(
  database: Queryable,
  objects: Objects | undefined,
  signal: AbortSignal,
) {
  const dispatcher = createDispatcher(FETCH_TIMEOUT_MS)

  async function fromDatabase(sha256: string): Promise<Buffer | undefined> {
    const [row] = await database.query<{ bytes: Uint8Array }>(IN_DATABASE, [sha256])
    return row && Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength)
  }

  async function fromObject({ sha256, object }: Whereabouts, maxBytes: number) {
    if (object === undefined || objects === undefined) return undefined
    const got = await objects.read(object, maxBytes).catch((thrown) => {
      if (thrown instanceof BodyTooLargeError) return { kind: 'missing' as const }
      throw thrown
    })
    return got.kind === 'read' && sha256Of(got.bytes) === sha256 ? got.bytes : undefined
  }

  /** The bytes behind a source, or why they are not the image's. */
  async function fromSource(source: string, sha256: string, maxBytes: number) {
    const options = { maxBytes, timeoutMs: FETCH_TIMEOUT_MS, dispatcher }
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
      const { sha256, source, object } = image
      const maxBytes = image.size ?? MOST_BYTES
      const kept = await fromDatabase(sha256)
      if (kept !== undefined) return { bytes: kept, from: 'the database' }
      const put = await fromObject(image, maxBytes)
      if (put !== undefined && object !== undefined) return { bytes: put, from: nameOf(object) }

      const seen = await database.query<{ source: string }>(SOURCES, [sha256])
      const sources = new Set(seen.map((row) => row.source))
      if (source !== undefined) sources.add(source)
      const whys: string[] = []
      for (const at of sources) {
        const had = await fromSource(at, sha256, maxBytes)
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
