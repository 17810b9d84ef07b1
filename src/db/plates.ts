import { likePattern } from '../plate-pattern.ts'

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

/** When a plate was seen, as the index idx_vehicle_seen_at has it. */
const SEEN_AT = 'coalesce(v.captured_at, v.created_at)'
const TERMS = 'plate_snapshot_terms(v.plate_text, v.makes_models, v.colors, v.meta)'
const bare = (plate: string) => `translate(lower(${plate}), ' -.', '')`
/** As the index idx_vehicle_plate_pattern has it. */
const PATTERN_OF = `left(${bare('v.plate_text')}, 100)`

const utc = (time: string) => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

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
    conditions.push(`${PATTERN_OF} LIKE ${bound(likePattern(plate), 'text')}`)
  }
  if (camera !== undefined) {
    const id = bound(camera, 'text')
    conditions.push(`left(v.camera_id, 100) = left(${id}, 100) AND v.camera_id = ${id}`)
  }
  if (since !== undefined)
    conditions.push(`${SEEN_AT} >= ${bound(since.toISOString(), 'timestamptz')}`)
  if (until !== undefined)
    conditions.push(`${SEEN_AT} < ${bound(until.toISOString(), 'timestamptz')}`)
  if (minConfidence !== undefined) {
    conditions.push(`v.plate_confidence >= ${bound(minConfidence, 'numeric')}`)
  }
  const wanted = like === undefined ? undefined : bound(like, 'text')
  const lower = (text: string) => `lower(${bound(text, 'text')})`
  const terms = [
    ...(wanted === undefined ? [] : [`'plate ' || plate_snapshot_alike(${wanted})`]),
    ...termsOf({ make, model }, lower),
    ...(color === undefined ? [] : [`'color ' || ${lower(color)}`]),
    ...(region === undefined ? [] : [`'region ' || ${lower(region)}`]),
  ]
  // All in one: the index looks for the rarest of them first.
  if (terms.length > 0) {
    conditions.push(`${TERMS} @> ARRAY[${terms.map((term) => `left(${term}, 200)`).join(', ')}]`)
  }
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

/** A make and a model together are those of one guess. */
function termsOf(
  { make, model }: Pick<PlateFilter, 'make' | 'model'>,
  lower: (text: string) => string,
): string[] {
  const parts = [
    ...(make === undefined ? [] : [`'make ' || ${lower(make)}`]),
    ...(model === undefined ? [] : [`'model ' || ${lower(model)}`]),
  ]
  return parts.length === 0 ? [] : [parts.join(` || ' ' || `)]
}

/** The reading of a row that comes nearest: the very text before one that looks like it, then the surer one. */
function nearest(wanted: string): string {
  return `CROSS JOIN LATERAL (
    SELECT r.plate, r.score, ${bare('r.plate')} = ${bare(wanted)} AS is_same FROM (
      SELECT v.plate_text AS plate, v.plate_confidence AS score
      UNION ALL
      SELECT c->>'plate', CASE jsonb_typeof(c->'score') WHEN 'number' THEN (c->>'score')::numeric END
      FROM jsonb_path_query(v.meta, '$.candidates[*]') c
    ) r
    WHERE plate_snapshot_alike(r.plate) = plate_snapshot_alike(${wanted})
    ORDER BY is_same DESC, score DESC NULLS LAST LIMIT 1
  ) near`
}
