import type { Picture, Sight } from './pictures.ts'
import { HEIGHT, WIDTH } from './scenery.ts'

/** What the Snapshot API would say about a picture in plate mode, mmc on, in its own key names. */
export function answerFor({ file, sights }: Picture) {
  return { file, image_width: WIDTH, image_height: HEIGHT, results: sights.map(resultFor) }
}

function resultFor(sight: Sight) {
  const { vehicle, region, scores, makeModel } = sight
  const plate = sight.plate.lines.join('').toLowerCase().replaceAll(/[ -]/g, '')
  return {
    box: plateBox(sight),
    plate,
    region: { code: region, score: rounded(scores.reading * 0.82) },
    score: scores.reading,
    candidates: candidatesOf(plate, scores.reading),
    dscore: scores.detection,
    vehicle: { type: vehicle.type, score: scores.vehicle, box: vehicleBox(sight) },
    model_make: [{ ...makeModel, score: rounded(scores.vehicle * 0.78) }],
    color: [{ color: vehicle.color, score: rounded(scores.vehicle * 0.94) }],
    orientation: [{ orientation: vehicle.orientation, score: rounded(scores.vehicle * 1.03) }],
  }
}

/** Pixels of the plate's outer edge, dark rim excluded. */
function plateBox({ vehicle, place: { x, ground, scale }, plate }: Sight) {
  const halfWidth = (vehicle.plate.width * scale) / 2
  const halfHeight = (halfWidth * plate.look.height) / plate.look.width
  const y = ground + vehicle.plate.y * scale
  return boxAround(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight)
}

function vehicleBox({ vehicle, place: { x, ground, scale } }: Sight) {
  const reach = vehicle.halfWidth * scale
  return boxAround(x - reach, ground - vehicle.height * scale, x + reach, ground)
}

function boxAround(left: number, top: number, right: number, bottom: number) {
  return {
    xmin: Math.floor(left),
    ymin: Math.floor(top),
    xmax: Math.ceil(right),
    ymax: Math.ceil(bottom),
  }
}

const LOOKALIKES: Readonly<Record<string, string>> = { '0': 'o', o: '0', '1': 'i', i: '1' }
const MOST_CANDIDATES = 8
const LOST_PER_SWAP = 0.138

/** The plate, then the texts with 0/O and 1/I swapped, each swap costing as much as in real answers. */
function candidatesOf(plate: string, score: number) {
  let variants = [{ plate, swaps: 0 }]
  for (const [index, character] of [...plate].entries()) {
    const other = LOOKALIKES[character]
    if (other === undefined) continue
    variants = variants.flatMap((variant) => [
      variant,
      {
        plate: variant.plate.slice(0, index) + other + variant.plate.slice(index + 1),
        swaps: variant.swaps + 1,
      },
    ])
  }
  return variants
    .map((variant) => ({
      plate: variant.plate,
      score: rounded(score - variant.swaps * LOST_PER_SWAP),
    }))
    .filter((candidate) => candidate.score > 0.1)
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST_CANDIDATES)
}

function rounded(score: number): number {
  return Math.round(score * 1000) / 1000
}
