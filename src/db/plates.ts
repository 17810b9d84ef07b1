import { comparablePlate, likePattern, literalPattern } from '../plate-pattern.ts'
import { SEEN_AT } from './snapshots.ts'

/** Which rows are wanted; all that is given must hold. */
export interface PlateFilter {
  /** Any case; `*` and `?` as wildcards. */
  plate?: string | undefined
  /** A plate as it may have been misread: also among the candidates, and look-alike characters (0/O, 1/I) are one. */
  like?: string | undefined
  make?: string | undefined
  model?: string | undefined
  color?: string | undefined
  /** `us-ca`, or `us` for all of them. */
  region?: string | undefined
  camera?: string | undefined
  since?: Date | undefined
  until?: Date | undefined
  /** Of the reading, 0 to 1. */
  minConfidence?: number | undefined
  /** Rows; undefined: all. */
  limit?: number | undefined
}

/** A statement with its bound values. */
export interface Statement {
  sql: string
  values: unknown[]
}

// Each as an index of db_schema.sql has it.
const CAMERA = 'left(v.camera_id, 100)'
const REGION = "left(lower(v.meta #>> '{region,code}'), 100)"
const MAKES_MODELS = 'lower(v.makes_models::text)::jsonb'
const COLORS = 'lower(v.colors::text)::jsonb'
/** Characters that are taken for each other on plates become one; blanks, dashes, dots and what JSON needs go. */
const alike = (text: string) => `translate(lower(${text}), 'odqilzsgb -."[]', '000112568')`
const CANDIDATES = "coalesce(jsonb_path_query_array(v.meta, '$.candidates[*].plate')::text, '')"
const READINGS = `string_to_array(left(${alike(`coalesce(v.plate_text, '') || ',' || ${CANDIDATES}`)}, 600), ',')`

/** SQL of a time as ISO 8601 has it, in UTC. */
export const utc = (time: string) =>
  `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** The columns of `plates`, in the order of `--csv`. */
export const PLATE_COLUMNS = {
  plate_text: 'v.plate_text',
  plate_confidence: 'v.plate_confidence',
  captured_at: utc('v.captured_at'),
  created_at: utc('v.created_at'),
  vehicle_type: "v.meta->>'vehicle_type'",
  make: "v.makes_models->0->>'make'",
  model: "v.makes_models->0->>'model'",
  color: "v.colors->0->>'color'",
  region: "v.meta#>>'{region,code}'",
  camera_id: 'v.camera_id',
  source: "v.meta->>'source'",
  image_sha256: 'v.image_sha256',
  id: 'v.id',
} as const
/** With `--like`: the candidate that looks like it, and how sure the API was of that one. */
export const CANDIDATE_COLUMNS = {
  candidate: 'near.plate',
  candidate_score: 'near.score',
} as const

/** The rows wanted, newest first, with `like` the nearest first; every value of the filter is bound. */
export function platesStatement(filter: PlateFilter): Statement {
  const values: unknown[] = []
  /** The place of a bound value. */
  const bound = (value: unknown, type: string) => `$${values.push(value)}::${type}`
  const { plate, like, make, model, color, region, camera, since, until, minConfidence, limit } =
    filter
  const conditions: string[] = []

  if (plate !== undefined) {
    const pattern = bound(likePattern(plate), 'text')
    conditions.push(`${comparablePlate('v.plate_text')} LIKE lower(${pattern})`)
  }
  if (camera !== undefined) {
    const id = bound(camera, 'text')
    conditions.push(`${CAMERA} = left(${id}, 100) AND v.camera_id = ${id}`)
  }
  if (since !== undefined) {
    conditions.push(`${SEEN_AT} >= ${bound(since.toISOString(), 'timestamptz')}`)
  }
  if (until !== undefined) {
    conditions.push(`${SEEN_AT} < ${bound(until.toISOString(), 'timestamptz')}`)
  }
  if (minConfidence !== undefined) {
    conditions.push(`v.plate_confidence >= ${bound(minConfidence, 'numeric')}`)
  }
  if (region !== undefined) {
    const [code, states] = [bound(region, 'text'), bound(`${literalPattern(region)}-%`, 'text')]
    conditions.push(`(${REGION} = lower(${code}) OR ${REGION} LIKE lower(${states}))`)
  }
  // In lower case as the database makes it. A make and a model together are those of one guess.
  const guess = (value: object) => `lower(${bound(JSON.stringify([value]), 'text')})::jsonb`
  if (make !== undefined || model !== undefined) {
    conditions.push(`${MAKES_MODELS} @> ${guess({ make, model })}`)
  }
  if (color !== undefined) conditions.push(`${COLORS} @> ${guess({ color })}`)
  const wanted = like === undefined ? undefined : bound(like, 'text')
  if (wanted !== undefined) conditions.push(`${READINGS} @> ARRAY[${alike(wanted)}]`)

  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join('\n    AND ')}`
  const columns = { ...PLATE_COLUMNS, ...(wanted !== undefined && CANDIDATE_COLUMNS) }
  const newest = `${SEEN_AT} DESC NULLS LAST, v.id`
  return {
    sql: `
  SELECT ${Object.entries(columns)
    .map(([name, from]) => `${from} AS ${name}`)
    .join(', ')}
  FROM vehicle_snapshots v ${wanted === undefined ? '' : nearest(wanted)}
  ${where}
  ORDER BY ${wanted === undefined ? newest : `near.is_same DESC, near.score DESC NULLS LAST, ${newest}`}
  ${limit === undefined ? '' : `LIMIT ${bound(limit, 'bigint')}`}`,
    values,
  }
}

/** The reading of a row that comes nearest: the very text before one that looks like it, then the surer one. */
function nearest(wanted: string): string {
  return `CROSS JOIN LATERAL (
    SELECT r.plate, r.score, ${comparablePlate('r.plate')} = ${comparablePlate(wanted)} AS is_same FROM (
      SELECT v.plate_text AS plate, v.plate_confidence AS score
      UNION ALL
      SELECT c->>'plate', CASE jsonb_typeof(c->'score') WHEN 'number' THEN (c->>'score')::numeric END
      FROM jsonb_path_query(v.meta, '$.candidates[*]') c
    ) r
    WHERE ${alike('r.plate')} = ${alike(wanted)}
    ORDER BY is_same DESC, score DESC NULLS LAST LIMIT 1
  ) near`
}
