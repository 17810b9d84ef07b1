import { expect, test } from 'vitest'
import { meets } from '../../src/filter.ts'
import type { PlateReading } from '../../src/normalize.ts'

const plate = (score?: number): PlateReading => ({ index: 0, plate: 'nhk552', score })
const vehicle: PlateReading = { index: 0, vehicleType: 'Sedan', vehicleScore: 0.99 }

test.each<[rule: string, threshold: number, reading: PlateReading, isKept: boolean]>([
  ['keeps a better score', 0.8, plate(0.81), true],
  ['keeps a score that is exactly it', 0.8, plate(0.8), true],
  ['drops a score below it', 0.8, plate(0.799), false],
  ['drops a plate without a score', 0.8, plate(), false],
  ['drops a vehicle without a plate', 0.8, vehicle, false],
  ['of next to nothing drops a vehicle too', 0.001, vehicle, false],
  ['of 0 keeps the score 0', 0, plate(0), true],
  ['of 0 keeps a plate without a score', 0, plate(), true],
  ['of 0 keeps a vehicle without a plate', 0, vehicle, true],
  ['of 1 keeps the score 1', 1, plate(1), true],
  ['of 1 drops anything less', 1, plate(0.999), false],
])('a threshold %s', (_rule, threshold, reading, isKept) => {
  expect(meets(threshold)(reading)).toBe(isKept)
})
