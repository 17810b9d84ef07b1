import type { PlateReading } from './normalize.ts'

/**
 * Which readings get a row at a threshold from 0 to 1: plates whose reading score is not below it. A vehicle without a
 * plate has no score and is kept only at 0, where nothing is filtered.
 */
export function meets(threshold: number): (reading: PlateReading) => boolean {
  return ({ plate, score }) => threshold === 0 || (plate !== undefined && (score ?? 0) >= threshold)
}
