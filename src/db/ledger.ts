import { setTimeout as sleep } from 'node:timers/promises'
import { type IngestError, LookupError, LookupFailure } from '../errors.ts'
import type { FetchedImage } from '../fetch-image.ts'
import type { Answer } from '../look-up-plates.ts'
import type { Question } from '../lookup.ts'
import { normalize, type PlateReading, type Snapshot } from '../normalize.ts'
import { readResponse, storable } from '../response.ts'
import type { Database } from './database.ts'
import type { Run } from './runs.ts'
import { type S3Object, type SnapshotImage, type StoredImage, writeRows } from './snapshots.ts'

/** What a lookup was asked, in the order and form in which two of them are compared. */
export function askedOf({
  regions,
  mmc,
  engineConfig,
  cameraId,
}: Question): Record<string, unknown> {
  return {
    regions: [...regions].sort(),
    mmc,
    config: engineConfig ?? null,
    camera_id: cameraId ?? null,
  }
}

/** An image whose answer the ledger has. */
export interface KnownImage {
  sha256: string
  mime: string | undefined
  size: number | undefined
  /** The first path or URL that held it. */
  source: string | undefined
  object: S3Object | undefined
  cameraId: string | undefined
  snapshot: Snapshot
  /** Places in the answer that have a row. */
  rowPlaces: readonly number[]
  /** Regions, mmc or engine configuration were others than this run's. */
  wasAskedDifferently: boolean
}

/** `mine`: this run may look it up, and nobody else does; `lostAnswers` were perhaps billed before. */
export type Claim = { kind: 'mine'; lostAnswers: number } | { kind: 'known'; known: KnownImage }

export interface LedgerOptions {
  question: Question
  /** Ask again what is known, once an image a run. */
  force: boolean
}

export type Ledger = ReturnType<typeof createLedger>

interface LedgerRow {
  state: 'mine' | 'known' | 'busy'
  image_sha256: string
  source: string | null
  image_mime: string | null
  image_size: number | null
  s3_bucket: string | null
  s3_key: string | null
  asked: { regions?: unknown; mmc?: unknown; config?: unknown; camera_id?: string | null } | null
  response: unknown
  uncertain: number
  row_places: number[] | null
}

const ROW_PLACES = `(SELECT array_agg(v.result_index) FROM vehicle_snapshots v
  WHERE v.image_sha256 = l.image_sha256 AND v.result_index IS NOT NULL) AS row_places`
const ENTRY = `l.image_sha256, l.source, l.image_mime, l.image_size, l.s3_bucket, l.s3_key, l.asked, l.response,
  l.uncertain`
/** May a forcing run ask again? Once: what it has answered itself is known to it. */
const FORCED = '($7 AND l.answered_by IS DISTINCT FROM $6::uuid)'

/**
 * One statement: the source is noted, and the image is claimed unless it is answered or a living run holds it.
 * $1 sha256, $2 source, $3 mime, $4 size, $5 asked, $6 run, $7 force, $8 seconds without a heartbeat until dead,
 * $9 bucket, $10 key.
 */
const CLAIM = `
  WITH noted AS (
    INSERT INTO image_sources (image_sha256, source) VALUES ($1, $2)
    ON CONFLICT (image_sha256, md5(source)) DO UPDATE SET last_seen_at = now()
  ), claimed AS (
    INSERT INTO plate_lookups AS l
      (image_sha256, source, image_mime, image_size, s3_bucket, s3_key, asked, claimed_by, claimed_at)
    VALUES ($1, $2, $3, $4::int, $9, $10, $5::jsonb, $6::uuid, now())
    ON CONFLICT (image_sha256) DO UPDATE SET
      claimed_by = excluded.claimed_by, claimed_at = now(),
      image_mime = coalesce(l.image_mime, excluded.image_mime), image_size = coalesce(l.image_size, excluded.image_size),
      s3_bucket = coalesce(excluded.s3_bucket, l.s3_bucket), s3_key = coalesce(excluded.s3_key, l.s3_key)
    WHERE (l.response IS NULL OR ${FORCED})
      AND (l.claimed_by IS NULL OR NOT EXISTS (
        SELECT 1 FROM ingest_runs r WHERE r.id = l.claimed_by AND r.ended_at IS NULL
          AND r.heartbeat_at > clock_timestamp() - make_interval(secs => $8::float8)))
    RETURNING l.uncertain
  )
  SELECT 'mine' AS state, $1 AS image_sha256, NULL AS source, NULL AS image_mime, NULL::int AS image_size,
         NULL AS s3_bucket, NULL AS s3_key, NULL::jsonb AS asked, NULL::jsonb AS response, uncertain,
         NULL::int[] AS row_places
  FROM claimed
  UNION ALL
  SELECT CASE WHEN l.response IS NULL OR ${FORCED} THEN 'busy' ELSE 'known' END, ${ENTRY}, ${ROW_PLACES}
  FROM plate_lookups l WHERE l.image_sha256 = $1 AND NOT EXISTS (SELECT 1 FROM claimed)`

const IS_KNOWN = 'SELECT 1 FROM plate_lookups WHERE image_sha256 = $1 AND response IS NOT NULL'
const PAGE = `SELECT 'known' AS state, ${ENTRY}, ${ROW_PLACES}
  FROM plate_lookups l WHERE l.response IS NOT NULL AND l.image_sha256 > $1 ORDER BY l.image_sha256 LIMIT $2`
const KEEP_BYTES =
  'UPDATE plate_lookups SET stored_at = now(), image_data = $2 WHERE image_sha256 = $1'
const RELEASE = `UPDATE plate_lookups SET claimed_by = NULL, claimed_at = NULL
  WHERE image_sha256 = $1 AND claimed_by = $2::uuid`
const FAIL = `UPDATE plate_lookups SET claimed_by = NULL, claimed_at = NULL, error = $3::jsonb,
  attempts = attempts + $4, uncertain = uncertain + $5 WHERE image_sha256 = $1 AND claimed_by = $2::uuid`
const ANSWER = `UPDATE plate_lookups SET asked = $3::jsonb, response = $4::jsonb, answered_at = now(),
  stored_at = coalesce(stored_at, now()),
  answered_by = $2::uuid, attempts = attempts + $5, uncertain = uncertain + $6, error = NULL,
  claimed_by = NULL, claimed_at = NULL WHERE image_sha256 = $1`
const LOCK = 'SELECT 1 FROM plate_lookups WHERE image_sha256 = $1 FOR UPDATE'
const PLACES = `SELECT result_index AS place FROM vehicle_snapshots
  WHERE image_sha256 = $1 AND result_index IS NOT NULL`

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_000
const PAGE_SIZE = 200

/** The memory of every lookup: what was claimed, asked, answered and lost, and every source seen. */
export function createLedger(database: Database, run: Run, { question, force }: LedgerOptions) {
  const asked = JSON.stringify(askedOf(question))
  const deadAfterS = run.heartbeat.deadAfterMs / 1_000
  /** Images that this run is at work on; resolves to an error that copies of the image in this run share. */
  const atWork = new Map<string, PromiseWithResolvers<IngestError | undefined>>()

  function finish(sha256: string, error?: IngestError): void {
    atWork.get(sha256)?.resolve(error)
    atWork.delete(sha256)
  }

  /**
   * Claims an image for a lookup, or finds it answered. When another run is at work on it, waits for what comes of
   * that; a claim whose run has died is taken over.
   */
  async function claim(
    image: FetchedImage,
    object: S3Object | undefined,
    signal: AbortSignal,
  ): Promise<Claim> {
    const { sha256 } = image
    for (let copy = atWork.get(sha256); copy !== undefined; copy = atWork.get(sha256)) {
      const error = await copy.promise
      // Nothing was sent for the copy: the requests are counted once.
      if (error instanceof LookupFailure) throw new LookupFailure(error, 0, 0)
      if (error !== undefined) throw error
    }
    atWork.set(sha256, Promise.withResolvers())
    try {
      const claimed = await claimFromOthers(image, object, signal)
      if (claimed.kind === 'known') finish(sha256)
      return claimed
    } catch (thrown) {
      finish(sha256)
      throw thrown
    }
  }

  async function claimFromOthers(
    { sha256, source, mime, size }: FetchedImage,
    object: S3Object | undefined,
    signal: AbortSignal,
  ): Promise<Claim> {
    const asking = [asked, run.id, force, deadAfterS]
    const values = [sha256, source, mime, size, ...asking, object?.bucket, object?.key]
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const [entry] = await database.query<LedgerRow>(CLAIM, values)
      if (entry?.state === 'mine') return { kind: 'mine', lostAnswers: entry.uncertain }
      if (entry?.state === 'known') return { kind: 'known', known: toKnown(entry, question) }
      await run.endDeadRuns()
      await sleep(waitMs, undefined, { signal })
    }
  }

  /** Keeps an image's bytes, in `db` mode, until its rows take them. */
  async function keepBytes(sha256: string, bytes: Uint8Array): Promise<void> {
    await database.query(KEEP_BYTES, [sha256, bytes])
  }

  /** Gives a claim back as if it had never been made. */
  async function release(sha256: string): Promise<void> {
    try {
      await database.query(RELEASE, [sha256, run.id])
    } finally {
      // A copy must not wait for ever because the database has gone away.
      finish(sha256)
    }
  }

  /** Notes why an image failed and gives its claim back; the next run tries it again. */
  async function fail(sha256: string, error: IngestError): Promise<void> {
    const { attempts, uncertain } =
      error instanceof LookupFailure ? error : { attempts: 0, uncertain: 0 }
    const { code, message } = error
    const body = error instanceof LookupError ? error.body : undefined
    const noted = JSON.stringify(storable({ code, message, body }))
    try {
      await database.query(FAIL, [sha256, run.id, noted, attempts, uncertain])
    } finally {
      finish(sha256, error)
    }
  }

  /** An answer and its rows, in one transaction: both appear or neither. Surplus rows of an older answer go. */
  async function settle(
    stored: StoredImage,
    { response, attempts, uncertain }: Answer,
    snapshot: Snapshot,
    kept: readonly PlateReading[],
  ): Promise<void> {
    const image = { ...stored, cameraId: question.cameraId }
    const { sha256 } = image
    const raw = JSON.stringify(response.raw)
    await database.transaction(async (queryable) => {
      await queryable.query(ANSWER, [sha256, run.id, asked, raw, attempts, uncertain])
      const present = await queryable.query<{ place: number }>(PLACES, [sha256])
      const keptPlaces = new Set(kept.map(({ index }) => index))
      const removed = present.map(({ place }) => place).filter((place) => !keptPlaces.has(place))
      await writeRows(queryable, { image, snapshot, kept, isNewAnswer: true, removed })
    })
    finish(sha256)
  }

  return { claim, keepBytes, release, fail, settle, amend: createAnswers(database, question).amend }
}

/** What the ledger has answers to: enough for `--dry-run`, `reprocess` and the rows of known images. */
export function createAnswers(database: Database, question: Question) {
  /** Is the image answered? */
  async function isKnown(sha256: string): Promise<boolean> {
    return (await database.query(IS_KNOWN, [sha256])).length > 0
  }

  /** Every answered image, a page at a time. */
  async function* known(): AsyncGenerator<KnownImage> {
    for (let after = ''; ; ) {
      const page = await database.query<LedgerRow>(PAGE, [after, PAGE_SIZE])
      for (const entry of page) yield toKnown(entry, question)
      const last = page.at(-1)
      if (last === undefined) return
      after = last.image_sha256
    }
  }

  /** Adds and removes rows of a known image, in one transaction. */
  async function amend(
    image: SnapshotImage,
    snapshot: Snapshot,
    added: readonly PlateReading[],
    removed: readonly number[],
  ): Promise<void> {
    await database.transaction(async (queryable) => {
      await queryable.query(LOCK, [image.sha256])
      await writeRows(queryable, { image, snapshot, kept: added, isNewAnswer: false, removed })
    })
  }

  return { isKnown, known, amend }
}

function toKnown(entry: LedgerRow, question: Question): KnownImage {
  const { asked, s3_bucket: bucket, s3_key: key } = entry
  const response = readResponse(entry.response)
  return {
    sha256: entry.image_sha256,
    mime: entry.image_mime ?? undefined,
    size: entry.image_size ?? undefined,
    source: entry.source ?? undefined,
    object: bucket !== null && key !== null ? { bucket, key } : undefined,
    cameraId: asked?.camera_id ?? undefined,
    snapshot: response === undefined ? { readings: [] } : normalize(response),
    rowPlaces: entry.row_places ?? [],
    wasAskedDifferently: asked !== null && !isSameQuestion(asked, question),
  }
}

/** Regions, mmc and engine configuration decide what an answer holds; the camera is only a label. */
function isSameQuestion(asked: NonNullable<LedgerRow['asked']>, question: Question): boolean {
  const now = askedOf(question)
  return (
    canonical([asked.regions, asked.mmc, asked.config]) ===
    canonical([now['regions'], now['mmc'], now['config']])
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
