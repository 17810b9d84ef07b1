import { type CaptureTime, readCaptureTime } from '../capture-time.ts'
import type { Question } from '../lookup.ts'
import { normalize, type PlateReading, type Snapshot } from '../normalize.ts'
import { readStored } from '../response.ts'
import type { Wanted, WantedImage } from '../wanted.ts'
import type { Database } from './database.ts'
import { requireRoom } from './room.ts'
import { type S3Object, type SnapshotImage, toRows, writing } from './snapshots.ts'

/** An image whose answer the ledger has. */
export interface KnownImage {
  sha256: string
  mime: string | undefined
  size: number | undefined
  /** The first path or URL that held it. */
  source: string | undefined
  object: S3Object | undefined
  cameraId: string | undefined
  meta: Wanted['meta']
  captured: CaptureTime | undefined
  snapshot: Snapshot
  /** The answer as stored. */
  raw: unknown
  /** When the answer came, as the database writes it. */
  answeredAt: string | null
  /** Places in the answer that have a row. */
  rowPlaces: readonly number[]
  /** Regions, mmc or engine configuration were others than what is asked now. */
  wasAskedDifferently: boolean
}

/** Lookups of an image that were perhaps billed, and brought nothing. */
export interface LostBefore {
  lostAnswers: number
  /** The last answer was more than is kept. */
  isTooLarge: boolean
}

/** What the ledger has of an image: `isPaid` an answer that waits for its rows, `lostAnswers` perhaps billed; or what a purge left. */
export interface LedgerState extends LostBefore {
  isAnswered: boolean
  isPaid: boolean
  isPurged: boolean
}

/** What rows are made of, beside the image itself. */
export type AmendableImage = Pick<KnownImage, 'snapshot' | 'answeredAt' | 'raw' | 'rowPlaces'>

/** What was asked, as the ledger keeps it, and `mended`: what had to be replaced in the answer to that. */
interface Asked {
  regions?: unknown
  mmc?: unknown
  config?: unknown
  camera_id?: string | null
  meta?: Readonly<Record<string, unknown>>
  captured?: unknown
  mended?: unknown
}

/** A ledger entry with an answer, as the database gives it. */
export interface AnsweredEntry {
  image_sha256: string
  source: string | null
  image_mime: string | null
  image_size: number | null
  s3_bucket: string | null
  s3_key: string | null
  asked: Asked | null
  response: unknown
  answered_at: string | null
  row_places: number[] | null
}

/** The columns of an `AnsweredEntry`, from `plate_lookups l`. */
export const ENTRY = `l.image_sha256, l.source, l.image_mime, l.image_size, l.s3_bucket, l.s3_key, l.asked, l.response,
  l.answered_at::text AS answered_at,
  (SELECT array_agg(v.result_index) FROM vehicle_snapshots v
   WHERE v.image_sha256 = l.image_sha256 AND v.result_index IS NOT NULL) AS row_places`

/** The last try at an image, an entry `l`, brought more than is kept. */
export const IS_TOO_LARGE = "coalesce(l.error->>'code' = 'answer_too_large', false)"

/** A question under way counts as lost: if its run is dead it is, and if not, that run answers it. */
const STATE = `
  SELECT l.response IS NOT NULL AS "isAnswered", l.unsettled IS NOT NULL AS "isPaid",
         coalesce(l.uncertain + (l.asking_since IS NOT NULL)::int, 0) AS "lostAnswers",
         ${IS_TOO_LARGE} AS "isTooLarge", p.image_sha256 IS NOT NULL AS "isPurged"
  FROM (SELECT $1::text AS sha256) g
  LEFT JOIN plate_lookups l ON l.image_sha256 = g.sha256
  LEFT JOIN purged_images p ON p.image_sha256 = g.sha256`
const PAGE = `SELECT ${ENTRY} FROM plate_lookups l
  WHERE l.response IS NOT NULL AND l.image_sha256 > $1 ORDER BY l.image_sha256 LIMIT $2`
const PAGE_SIZE = 200
/** Nothing is written where a newer answer has come meanwhile. */
const AMEND = writing({
  columns: 'answered_at text, removed int[]',
  where: 'l.answered_at::text IS NOT DISTINCT FROM g.answered_at',
  set: '',
  gone: 'v.result_index = ANY (g.removed)',
})

/** What the ledger has answers to: enough for `--dry-run`, `reprocess` and the rows of known images. */
export function createAnswers(database: Database) {
  /** What the ledger has of an image, for a run that only looks. */
  async function stateOf(sha256: string): Promise<LedgerState> {
    const [state] = await database.query<LedgerState>(STATE, [sha256])
    const nothing = { isAnswered: false, isPaid: false, lostAnswers: 0 }
    return state ?? { ...nothing, isTooLarge: false, isPurged: false }
  }

  /** Every answered image, a page at a time. */
  async function* known(): AsyncGenerator<KnownImage> {
    for (let after = ''; ; ) {
      const page = await database.query<AnsweredEntry>(PAGE, [after, PAGE_SIZE])
      for (const entry of page) yield toKnown(entry)
      const last = page.at(-1)
      if (last === undefined) return
      after = last.image_sha256
    }
  }

  /**
   * Adds and removes rows of a known image; nothing when a newer answer has come meanwhile.
   * @throws {DatabaseError} `answer_unusable`
   */
  async function amend(
    image: SnapshotImage & AmendableImage,
    added: readonly PlateReading[],
    removed: readonly number[],
  ): Promise<void> {
    requireRoom(image, image.raw, added, image.rowPlaces.length - removed.length)
    const readings = toRows(image, image.snapshot, added)
    const given = { sha256: image.sha256, readings, answered_at: image.answeredAt, removed }
    await database.query(AMEND, [JSON.stringify([given])])
  }

  return { stateOf, known, amend }
}

/** What an entry tells, its answer read, beside the question that is asked now, if one is. */
export function toKnown(entry: AnsweredEntry, question?: Question): KnownImage {
  const { asked, s3_bucket: bucket, s3_key: key } = entry
  const response = readStored(entry.response, textsOf(asked?.mended))
  return {
    sha256: entry.image_sha256,
    mime: entry.image_mime ?? undefined,
    size: entry.image_size ?? undefined,
    source: entry.source ?? undefined,
    object: bucket !== null && key !== null ? { bucket, key } : undefined,
    cameraId: asked?.camera_id ?? undefined,
    meta: asked?.meta,
    captured: readCaptureTime(asked?.captured),
    snapshot: response === undefined ? { readings: [] } : normalize(response),
    raw: entry.response,
    answeredAt: entry.answered_at,
    rowPlaces: entry.row_places ?? [],
    wasAskedDifferently:
      asked !== null && question !== undefined && !isSameQuestion(asked, question),
  }
}

/** The texts of a list that the database gave, such as `mended`. */
export function textsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((text) => typeof text === 'string') : []
}

/**
 * What was wanted of an image, as the ledger keeps it; questions in the order and form in which two are compared.
 * @param mended what had to be replaced in the answer: later rows are to tell of it too
 */
export function askedOf(
  { question, meta, captured }: Pick<WantedImage, 'captured'> & Pick<Wanted, 'question' | 'meta'>,
  mended: readonly string[] = [],
) {
  const { regions, mmc, engineConfig, cameraId } = question
  return {
    regions: [...regions].sort(),
    mmc,
    config: engineConfig ?? null,
    camera_id: cameraId ?? null,
    meta,
    captured,
    mended: mended.length > 0 ? mended : undefined,
  }
}

/** Regions, mmc and engine configuration decide what an answer holds; camera, meta and capture time are only labels. */
function isSameQuestion(asked: Asked, question: Question): boolean {
  const now = askedOf({ question })
  return (
    canonical([asked.regions, asked.mmc, asked.config]) ===
    canonical([now.regions, now.mmc, now.config])
  )
}

/** JSON text with sorted keys: `jsonb` has its own order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
