import { expect, test } from 'vitest'
import { normalize } from '../../src/normalize.ts'
import { type ANSWERS, answerOf, parsed, textOf } from './answers.ts'

const readings = (results: unknown) => normalize(answerOf(results)).readings

test.each<[answer: (typeof ANSWERS)[number], plate: string, score: number, region?: string]>([
  ['01-cloud-plate-mmc.json', 'nhk552', 0.904, 'gb'],
  ['02-cloud-plate-mmc-direction-1920.json', 'mw818wm', 1, 'fr'],
  ['06-cloud-201-single-plate.json', '11wh2571', 0.873, 'be'],
  ['09-cloud-2020-one-plate.json', 'dj1313', 0.903, 'lu'],
  ['18-old-2019-07-bare-array.json', 'abc123', 0.868],
  ['20-vehicle-mode-docs.json', 'nhk552', 0.838, 'gb'],
  ['24-sdk-2025-single-plate.json', 'p29vgf', 1, 'ca-qc'],
])('reads the plate of the real answer %s', (answer, plate, score, region) => {
  const [reading, ...others] = normalize(parsed(textOf(answer))).readings

  expect(reading).toMatchObject({ index: 0, plate, score })
  expect(reading?.region?.code).toBe(region)
  expect(others).toEqual([])
})

test.each<[answer: (typeof ANSWERS)[number]]>([
  ['04-cloud-empty-with-camera-and-size.json'],
  ['07-cloud-empty.json'],
  ['22-sdk-camera-id-null-string.json'],
  ['25-sdk-2025-empty-usage.json'],
])('finds no reading in the real answer %s', (answer) => {
  expect(normalize(parsed(textOf(answer))).readings).toEqual([])
})

test('names all that plate mode says', () => {
  const { readings } = normalize(parsed(textOf('02-cloud-plate-mmc-direction-1920.json')))

  expect(readings[0]).toEqual({
    index: 0,
    plate: 'mw818wm',
    score: 1,
    dscore: 0.883,
    box: { xmin: 693, ymin: 681, xmax: 988, ymax: 759 },
    region: { code: 'fr', score: 0.816 },
    candidates: expect.arrayContaining([
      { plate: 'mw818wm', score: 1 },
      { plate: 'mwbibwm', score: 0.593 },
    ]),
    vehicleType: 'Unknown',
    vehicleScore: 0.414,
    vehicleBox: { xmin: 385, ymin: 142, xmax: 1446, ymax: 921 },
    makesModels: [
      { make: 'generic', model: 'Invalid', score: 0.761 },
      { make: 'generic', model: 'Unknown', score: 0.008 },
    ],
    colors: [
      { color: 'black', score: 0.426 },
      { color: 'white', score: 0.385 },
      { color: 'silver', score: 0.066 },
    ],
    orientations: [
      { orientation: 'Rear', score: 0.685 },
      { orientation: 'Unknown', score: 0.246 },
      { orientation: 'Front', score: 0.07 },
    ],
    direction: 81,
    directionScore: 0.999,
  })
})

test('names all that vehicle mode says, whose plate score is the detection score', () => {
  expect(normalize(parsed(textOf('20-vehicle-mode-docs.json'))).readings[0]).toEqual({
    index: 0,
    plate: 'nhk552',
    score: 0.838,
    dscore: 0.925,
    box: { xmin: 146, ymin: 481, xmax: 276, ymax: 576 },
    region: { code: 'gb', score: 0.931 },
    candidates: [{ plate: 'nhk552', score: 0.838 }],
    vehicleType: 'Sedan',
    vehicleScore: 0.834,
    vehicleBox: { xmin: 68, ymin: 103, xmax: 914, ymax: 643 },
    makesModels: [{ make: 'Riley', model: 'RMF', score: 0.339 }],
    colors: [{ color: 'black', score: 0.846 }],
    orientations: [{ orientation: 'Front', score: 0.939 }],
    direction: undefined,
    directionScore: undefined,
  })
})

test('without mmc there is no make, no color and no orientation', () => {
  const [reading] = normalize(parsed(textOf('24-sdk-2025-single-plate.json'))).readings

  expect(reading).toMatchObject({ makesModels: undefined, colors: undefined })
  expect(reading?.orientations).toBeUndefined()
})

test('tells the two shapes apart result by result', () => {
  const vehicle = { plate: { score: 0.9, props: { plate: [{ value: 'b', score: 0.5 }] } } }

  expect(readings([{ plate: 'a', score: 0.4 }, vehicle])).toMatchObject([
    { index: 0, plate: 'a', score: 0.4, dscore: undefined },
    { index: 1, plate: 'b', score: 0.5, dscore: 0.9 },
  ])
})

test('a box of zeros is no box', () => {
  const zero = { xmin: 0, ymin: 0, xmax: 0, ymax: 0 }
  const [reading] = readings([
    { plate: 'a', box: zero, vehicle: { type: 'Unknown', score: 0, box: zero } },
  ])

  expect(reading).toMatchObject({ box: undefined, vehicleBox: undefined })
  expect(reading).toMatchObject({ vehicleType: 'Unknown', vehicleScore: 0 })
})

test.each<[what: string, result: unknown]>([
  ['has no plate', { vehicle: { type: 'Sedan' } }],
  ['has a plate that is null', { plate: null, vehicle: { type: 'Sedan' } }],
  ['has no props', { plate: { score: 0.9 }, vehicle: { type: 'Sedan' } }],
  ['has empty lists', { plate: { props: { plate: [], region: [] } }, vehicle: { type: 'Sedan' } }],
  ['has an empty text', { plate: '', vehicle: { type: 'Sedan' } }],
])('a vehicle that %s is a reading without a plate', (_what, result) => {
  expect(readings([result])).toMatchObject([
    { index: 0, plate: undefined, score: undefined, region: undefined, vehicleType: 'Sedan' },
  ])
})

test('a plate without a vehicle is a reading like any other', () => {
  const plate = { score: 0.9, props: { plate: [{ value: 'a', score: 1 }] } }

  expect(readings([{ plate, vehicle: null }])).toMatchObject([
    { plate: 'a', score: 1, vehicleType: undefined },
  ])
})

test('a result with neither plate nor vehicle is no reading, and keeps its place', () => {
  const results = [{}, { plate: null, vehicle: null }, null, { plate: 'a' }]

  expect(readings(results)).toMatchObject([{ index: 3, plate: 'a' }])
})

test.each<[says: string, envelope: Record<string, unknown>, ref: string | undefined]>([
  ['is its uuid', { uuid: '0-1', filename: 'a.jpg' }, '0-1'],
  ['else its filename', { filename: '1617_7M83K_car.jpg' }, '1617_7M83K_car.jpg'],
  ['is not an empty text', { uuid: '', filename: 'a.jpg' }, 'a.jpg'],
  ['is absent without either', { uuid: null }, undefined],
])("the answer's reference %s", (_says, envelope, ref) => {
  expect(normalize(answerOf([], envelope)).ref).toBe(ref)
})

test.each<[says: string, sent: unknown, cameraId: string | undefined]>([
  ['is as sent', 'G637821011231200521C - Camera', 'G637821011231200521C - Camera'],
  ['may be null', null, undefined],
  ['may be the text "null", which an SDK wrote', 'null', undefined],
  ['may be empty', '', undefined],
  ['may be missing', undefined, undefined],
  ['may be a number, which is none', 7, undefined],
])('the camera %s', (_says, sent, cameraId) => {
  expect(normalize(answerOf([], { camera_id: sent })).cameraId).toBe(cameraId)
})
