/** From when (included) to when (not included) something was seen; undefined: without an end. */
export interface Period {
  since?: Date | undefined
  until?: Date | undefined
}

/** The SQL condition that a time lies within the period, whose two ends are $1 and $2. */
export function within(time: string): string {
  return `($1::timestamptz IS NULL OR ${time} >= $1::timestamptz)
      AND ($2::timestamptz IS NULL OR ${time} < $2::timestamptz)`
}

/** $1 and $2. */
export function periodValues({ since, until }: Period): [string | null, string | null] {
  return [since?.toISOString() ?? null, until?.toISOString() ?? null]
}
