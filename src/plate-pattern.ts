/** The SQL of a plate's text as patterns are held against it: an expression that idx_vehicle_plate_pattern has of the rows. */
export function comparablePlate(plate: string): string {
  return `left(translate(lower(${plate}), ' -.', ''), 100)`
}

/**
 * What a user wrote for a plate as a pattern of SQL's LIKE, which the database puts into lower case for a `comparablePlate`: `*` stands for any characters, `?` for
 * one.
 */
export function likePattern(text: string): string {
  return literalPattern(text.replace(/[ .-]/g, '')).replaceAll('*', '%').replaceAll('?', '_')
}

/** A text as a pattern of LIKE in which nothing is wild. */
export function literalPattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
