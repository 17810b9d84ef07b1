import type { Queryable } from '../db/database.ts'
import { type Period, periodValues, within } from './period.ts'

/** How sure the readings are: all plates that the answers name, whether or not they have a row. */
export interface Scores {
  threshold: number
  plates: number
  /** Of these: as many as the threshold lets through. */
  kept: number
  /** Plates whose answer gave no score. */
  unscored: number
  /** `BINS` of equal width from 0 to 1. */
  bins: readonly { plates: number; kept: number }[]
}

/** Bins of 0.05. */
export const BINS = 20

const THRESHOLD = `
  SELECT confidence_threshold AS threshold FROM ingest_runs
  WHERE confidence_threshold IS NOT NULL ORDER BY started_at DESC LIMIT 1`

/**
 * Both shapes of an answer, told apart result by result (normalize.ts); an answer of 2019 is the bare list. What is no
 * number is no score.
 */
const SCORES = `
  SELECT bin, count(*)::int AS plates, count(*) FILTER (WHERE $3::numeric = 0 OR score >= $3::numeric)::int AS kept
  FROM (
    SELECT score, CASE WHEN score IS NOT NULL THEN least(${BINS - 1}, greatest(0, floor(score * ${BINS})))::int END AS bin
    FROM (
      SELECT CASE WHEN jsonb_typeof(reading->'score') = 'number' THEN (reading->>'score')::numeric END AS score
      FROM plate_lookups l
      CROSS JOIN LATERAL jsonb_array_elements(
        CASE WHEN jsonb_typeof(l.response) = 'array' THEN l.response
             WHEN jsonb_typeof(l.response->'results') = 'array' THEN l.response->'results' ELSE '[]' END
      ) AS r (result)
      CROSS JOIN LATERAL (
        SELECT CASE WHEN jsonb_typeof(result->'plate') = 'string'
          THEN jsonb_build_object('value', result->'plate', 'score', result->'score')
          ELSE jsonb_path_query_first(result, '$.plate.props.plate[*] ? (@.value.type() == "string")') END
      ) AS p (reading)
      WHERE ${within('l.created_at')} AND reading->>'value' <> ''
    ) AS readings
  ) AS scored GROUP BY bin`

/** Counts the plates in the answers by score. @param asked the threshold; undefined: that of the last run, else 0 */
export async function readScores(
  queryable: Queryable,
  period: Period,
  asked: number | undefined,
): Promise<Scores> {
  const threshold = asked ?? (await lastThreshold(queryable))
  const found = await queryable.query<{ bin: number | null; plates: number; kept: number }>(
    SCORES,
    [...periodValues(period), String(threshold)],
  )
  const bins = Array.from({ length: BINS }, (_, bin) => {
    const { plates = 0, kept = 0 } = found.find((row) => row.bin === bin) ?? {}
    return { plates, kept }
  })
  const sum = (of: 'plates' | 'kept') => found.reduce((total, row) => total + row[of], 0)
  const unscored = found.find(({ bin }) => bin === null)?.plates ?? 0
  return { threshold, plates: sum('plates'), kept: sum('kept'), unscored, bins }
}

async function lastThreshold(queryable: Queryable): Promise<number> {
  const [last] = await queryable.query<{ threshold: number }>(THRESHOLD)
  return last?.threshold ?? 0
}

/** How many plates a threshold would let through, for one at the border of two bins. */
export function platesAt(threshold: number, { bins, plates }: Scores): number {
  if (threshold === 0) return plates
  const first = Math.round(threshold * BINS)
  return bins.slice(first).reduce((sum, bin) => sum + bin.plates, 0)
}
