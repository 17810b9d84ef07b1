import type { PlateResult } from './sample-answers.ts'

/**
 * One result in the shape of `detection_mode: "vehicle"` (sample 20): `dscore` becomes the plate's
 * `score`, `code`, `color` and `orientation` become `value`, `model_make` becomes `make_model`.
 * Where plate mode says "no vehicle found" with zeros, this mode has `vehicle: null`.
 */
export function vehicleResult(result: PlateResult, mayAddMmc: boolean): unknown {
  const { plate, score, candidates = [{ plate, score }], dscore, region, box, vehicle } = result
  return {
    plate: {
      type: 'Plate',
      score: dscore,
      box,
      props: {
        plate: candidates.map((candidate) => ({ value: candidate.plate, score: candidate.score })),
        region: region === undefined ? [] : [{ value: region.code, score: region.score }],
      },
    },
    vehicle:
      vehicle === undefined || vehicle.score === 0
        ? null
        : { ...vehicle, props: mayAddMmc ? vehicleProps(result) : {} },
  }
}

function vehicleProps({ model_make = [], orientation = [], color = [] }: PlateResult): unknown {
  return {
    make_model: model_make,
    orientation: orientation.map((item) => ({ value: item.orientation, score: item.score })),
    color: color.map((item) => ({ value: item.color, score: item.score })),
  }
}
