import { expect, test } from 'vitest'
import { SNAPSHOT_COLUMNS, type SnapshotImage } from '../../src/db/snapshots.ts'
import { normalize } from '../../src/normalize.ts'
import { answerOf, parsed, textOf } from './answers.ts'

const IMAGE: SnapshotImage = {
  sha256: 'ab'.repeat(32),
  mime: 'image/jpeg',
  size: 3,
  source: 'car.jpg',
  url: 's3://plates/a.jpg',
  object: { bucket: 'plates', key: 'a.jpg' },
  meta: undefined,
  cameraId: 'gate 7',
}

/** The first row of an answer, as the database gets it. */
function rowOf(answer: ReturnType<typeof parsed>, image = IMAGE): Record<string, unknown> {
  const snapshot = normalize(answer)
  const [reading] = snapshot.readings
  if (reading === undefined) throw new Error('no reading')
  const cells = Object.entries(SNAPSHOT_COLUMNS).map(([column, cellOf]) => [
    column,
    cellOf({ image, snapshot, reading }),
  ])
  return JSON.parse(JSON.stringify(Object.fromEntries(cells)))
}

test('a row holds what the answer and the image tell', () => {
  expect(rowOf(parsed(textOf('01-cloud-plate-mmc.json')))).toEqual({
    snapshot_ref: '1617_7M83K_car.jpg',
    camera_id: 'gate 7',
    captured_at: '2020-10-12T16:17:27.574008Z',
    plate_text: 'nhk552',
    plate_confidence: 0.904,
    makes_models: [{ make: 'Riley', model: 'RMF', score: 0.306 }],
    colors: [{ color: 'black', score: 0.937 }],
    bbox: { xmin: 143, ymin: 481, xmax: 282, ymax: 575 },
    image_url: 's3://plates/a.jpg',
    image_mime: 'image/jpeg',
    image_size: 3,
    image_sha256: 'ab'.repeat(32),
    result_index: 0,
    meta: {
      source: 'car.jpg',
      region: { code: 'gb', score: 0.747 },
      vehicle_type: 'Sedan',
      vehicle_score: 0.798,
      vehicle_box: { xmin: 67, ymin: 113, xmax: 908, ymax: 653 },
      dscore: 0.99,
      candidates: [{ plate: 'nhk552', score: 0.904 }],
      orientation: [{ orientation: 'Front', score: 0.937 }],
      captured_at_from: 'api',
      s3: { bucket: 'plates', key: 'a.jpg' },
    },
  })
})

test('both result shapes give the same columns', () => {
  const plateMode = rowOf(parsed(textOf('01-cloud-plate-mmc.json')))
  const vehicleMode = rowOf(parsed(textOf('20-vehicle-mode-docs.json')))

  expect(Object.keys(vehicleMode)).toEqual(Object.keys(plateMode))
  expect(Object.keys(vehicleMode['meta'] as object)).toEqual(
    Object.keys(plateMode['meta'] as object),
  )
})

test('direction goes into meta', () => {
  expect(rowOf(parsed(textOf('02-cloud-plate-mmc-direction-1920.json')))).toMatchObject({
    camera_id: 'sv1-searial-1',
    meta: { direction: 81, direction_score: 0.999 },
  })
})

test('what is not known has neither a column nor a key in meta', () => {
  const { cameraId: _, source: _source, object: _object, ...rest } = IMAGE
  const image = {
    ...rest,
    cameraId: undefined,
    source: undefined,
    object: undefined,
  }

  expect(rowOf(answerOf([{ vehicle: { type: 'Sedan' } }]), image)).toEqual({
    snapshot_ref: IMAGE.sha256,
    image_url: IMAGE.url,
    image_mime: IMAGE.mime,
    image_size: IMAGE.size,
    image_sha256: IMAGE.sha256,
    result_index: 0,
    meta: { vehicle_type: 'Sedan' },
  })
})
