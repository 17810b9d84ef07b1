import { comparablePlate } from '../plate-pattern.ts'
import type { Database } from './database.ts'
import { isStale } from './ledger-statements.ts'

/** What is to be purged; what is given must hold together, of several cameras or plates any. */
export interface PurgeFilter {
  /** First stored or asked about before this. */
  before?: Date | undefined
  cameras?: readonly string[] | undefined
  /** Patterns of `likePattern`. */
  plates?: readonly string[] | undefined
}

/**
 * Images of one kind as SQL finds them: `key` names one, `rows` says which rows `v` are its, and `isTaken` that a living run
 * is at work on it.
 */
export interface ImageKind {
  /** What a batch of them is locked by; $1 the keys as JSON. */
  lock: string
  from: string
  key: string
  keyType: 'text' | 'uuid'
  rows: string
  /** What makes a row or image one of this kind. */
  isOne: string
  isTaken: string
  /** When it was first stored or asked about, and its size in bytes. */
  age: string
  size: string
  /** Does its ledger entry tell of it, where rows do not? */
  hasEntry: boolean
}

const ofRows = (what: string, rows: string) =>
  `(SELECT ${what} FROM vehicle_snapshots v WHERE ${rows})`

/** The keys of $1, a JSON list. */
const GIVEN = 'SELECT jsonb_array_elements_text($1::jsonb) AS key'

/** Images in the ledger. */
function inLedger(database: Pick<Database, 'isEmbedded'>): ImageKind {
  const rows = 'v.image_sha256 = l.image_sha256'
  return {
    from: 'plate_lookups l',
    lock: `SELECT image_sha256 AS key FROM plate_lookups WHERE image_sha256 = ANY (ARRAY(${GIVEN}))
      ORDER BY image_sha256 FOR UPDATE`,
    ...{ key: 'l.image_sha256', keyType: 'text' },
    rows,
    isOne: 'true',
    isTaken: `(l.claimed_by IS NOT NULL AND NOT ${isStale(database)})`,
    age: 'l.created_at',
    size: `coalesce(l.image_size, ${ofRows('max(v.image_size)', rows)}, 0)`,
    hasEntry: true,
  }
}

const inRowsOnly = (rows: string) => ({
  rows,
  isTaken: 'false',
  age: ofRows('min(v.created_at)', rows),
  size: `coalesce(${ofRows('max(v.image_size)', rows)}, 0)`,
  hasEntry: false,
})

/**
 * Images that only rows tell of: the older tool's that `migrate` could not enter, or whose entry was lost. For the time of
 * the batch they are entered, so that a run that claims one waits for what comes of it.
 */
const IN_ROWS: ImageKind = {
  lock: `INSERT INTO plate_lookups (image_sha256) SELECT key FROM (${GIVEN}) g ORDER BY key
    ON CONFLICT DO NOTHING RETURNING image_sha256 AS key`,
  from: '(SELECT DISTINCT image_sha256 FROM vehicle_snapshots WHERE image_sha256 IS NOT NULL) o',
  ...{ key: 'o.image_sha256', keyType: 'text' },
  isOne: '(SELECT true FROM plate_lookups l WHERE l.image_sha256 = o.image_sha256 LIMIT 1) IS NULL',
  ...inRowsOnly('v.image_sha256 = o.image_sha256'),
}

/** Rows of the older tool's without a SHA-256, each an image of its own. */
const BARE_ROWS: ImageKind = {
  lock: `SELECT id::text AS key FROM vehicle_snapshots WHERE id = ANY (ARRAY(SELECT key::uuid FROM (${GIVEN}) g))
    ORDER BY id FOR UPDATE`,
  from: 'vehicle_snapshots o',
  ...{ key: 'o.id', keyType: 'uuid' },
  isOne: 'o.image_sha256 IS NULL',
  ...inRowsOnly('v.id = o.id'),
}

/** `infinity` is no time that can be told. */
export function finiteAge({ age }: ImageKind): string {
  return `CASE WHEN isfinite(${age}) THEN ${age} END`
}

/** Every kind of image that may be purged. */
export function imageKinds(database: Pick<Database, 'isEmbedded'>): ImageKind[] {
  return [inLedger(database), IN_ROWS, BARE_ROWS]
}

/** A condition with the values of its parameters, which are numbered from `first`. */
export interface Condition {
  sql: string
  values: readonly string[]
}

/** Is an image of this kind to be purged? An image is one: what one of its rows, or its answer, says takes all of it. */
export function matching(kind: ImageKind, filter: PurgeFilter, first: number): Condition {
  const values: string[] = []
  const parameter = (value: string) => `$${first - 1 + values.push(value)}`
  const { before, cameras, plates } = filter
  const all: string[] = []
  if (before !== undefined) {
    const at = `${parameter(before.toISOString())}::timestamptz`
    // Of rows any one will do: the oldest is.
    all.push(kind.hasEntry ? `l.created_at < ${at}` : anyRow(kind, `v.created_at < ${at}`))
  }
  if (cameras !== undefined) {
    const any = `ANY (ARRAY(SELECT jsonb_array_elements_text(${parameter(JSON.stringify(cameras))}::jsonb)))`
    all.push(isOfCamera(kind, any))
  }
  if (plates !== undefined) {
    const patterns = plates.map(parameter)
    all.push(showsPlate(kind, (plate) => likeAny(plate, patterns)))
  }
  return { sql: all.join(' AND ') || 'true', values }
}

/**
 * Does a row of the image say so? Not as EXISTS: PostgreSQL would read all rows for it, and that for each batch.
 */
export function anyRow({ rows }: ImageKind, what: string): string {
  return `((SELECT true FROM vehicle_snapshots v WHERE ${rows} AND ${what} LIMIT 1) IS NOT NULL)`
}

/** The camera of an image without rows is the one that its rows would have (`SNAPSHOT_COLUMNS`). */
function isOfCamera(kind: ImageKind, any: string): string {
  const inRows = anyRow(kind, `v.camera_id = ${any}`)
  if (!kind.hasEntry) return inRows
  const answered = `nullif(nullif(coalesce(l.response, l.unsettled)->>'camera_id', 'null'), '')`
  return `(${inRows} OR (coalesce(${answered}, l.asked->>'camera_id') = ${any} AND NOT ${anyRow(kind, 'true')}))`
}

/** Rows of the older tool keep an answer of their own. */
function showsPlate(kind: ImageKind, isWanted: (plate: string) => string): string {
  const isOlder = kind.hasEntry ? '(v.result_index IS NULL OR l.answered_by IS NULL) AND ' : ''
  const ownAnswer = `${isOlder}${namesPlate('v.raw_response', isWanted)}`
  const inRows = anyRow(kind, `(${isWanted('v.plate_text')} OR (${ownAnswer}))`)
  if (!kind.hasEntry) return inRows
  const inAnswers = ['l.response', 'l.unsettled'].map((answer) => namesPlate(answer, isWanted))
  return `(${[inRows, ...inAnswers].join(' OR ')})`
}

function likeAny(plate: string, patterns: readonly string[]): string {
  const likes = patterns.map((at) => `${comparablePlate(plate)} LIKE lower(${at})`)
  // A plate that was not read is none that somebody asks for.
  return `(${plate} <> '' AND (${likes.join(' OR ')}))`
}

/** Does an answer name such a plate, whether it got a row or not? In either result shape, as `normalize` reads them. */
function namesPlate(answer: string, isWanted: (plate: string) => string): string {
  const results = `CASE WHEN jsonb_typeof(${answer}) = 'array' THEN ${answer} ELSE ${answer}->'results' END`
  const texts = ['$[*].plate', '$[*].plate.props.plate[*].value'].map(
    (path) => `SELECT jsonb_path_query(r.results, '${path} ? (@.type() == "string")') AS plate`,
  )
  return `EXISTS (SELECT 1 FROM (SELECT ${results} AS results) r
    CROSS JOIN LATERAL (${texts.join(' UNION ALL ')}) p WHERE ${isWanted("(p.plate #>> '{}')")})`
}
