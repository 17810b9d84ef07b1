import { describe, expect, test } from 'vitest'
import { SAMPLE_ANSWERS, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

const GATE = 'samples/gate-sedan-front.jpg'
const GATE_RESULT = Object.values(SAMPLE_ANSWERS).find(
  ({ file }) => file === 'gate-sedan-front.jpg',
)?.results[0]

test.each<[sent: string, flags: string[], fields: Record<string, string[]>]>([
  ['nothing but the image by default', [], {}],
  [
    'regions one by one, repeated or comma-separated',
    ['--regions', 'us-ca', 'FR', '--regions', 'de, gb,fr'],
    { regions: ['us-ca', 'fr', 'de', 'gb'] },
  ],
  ['the camera', ['--camera-id', 'Gate 7'], { camera_id: ['Gate 7'] }],
  ['the wish for make, model and color', ['--mmc'], { mmc: ['true'] }],
  [
    'the engine configuration as JSON',
    ['--engine-config', '{ "mode": "fast", "threshold_d": 0.3 }'],
    { config: ['{"mode":"fast","threshold_d":0.3}'] },
  ],
])('a lookup is sent with %s', async (_, flags, fields) => {
  await using place = await createWorkplace()
  const { exitCode } = await place.ingest([GATE], flags)
  expect(exitCode).toBe(0)
  expect(place.sandbox.lookups.map(({ fields }) => fields)).toEqual([fields])
  expect(place.sandbox.lookups[0]).toMatchObject({ filename: 'gate-sedan-front.jpg' })
})

test('the camera is kept in the rows, also when the SDK does not repeat it', async () => {
  const answer = { results: [{ plate: 'abc123', score: 0.9 }], camera_id: 'null' }
  await using place = await createWorkplace({
    sandbox: { flavor: 'sdk', fault: () => ({ answer }) },
  })
  await place.ingest([GATE], ['--camera-id', 'Gate 7'])
  expect(await place.query('SELECT camera_id, snapshot_ref FROM vehicle_snapshots')).toEqual([
    {
      camera_id: 'Gate 7',
      snapshot_ref: Object.entries(SAMPLE_ANSWERS).find(
        ([, { file }]) => file === 'gate-sedan-front.jpg',
      )?.[0],
    },
  ])
})

test.each<[what: string, flags: string[], row: object]>([
  ['without --mmc they stay null', [], { makes_models: null, colors: null }],
  [
    'with --mmc they are filled',
    ['--mmc'],
    { makes_models: GATE_RESULT?.model_make, colors: GATE_RESULT?.color },
  ],
])('makes and colors: %s', async (_, flags, row) => {
  await using place = await createWorkplace()
  await place.ingest([GATE], flags)
  expect(await place.query('SELECT makes_models, colors FROM vehicle_snapshots')).toEqual([row])
})

test('vehicle mode, whose answers have another shape, gives the same columns', async () => {
  await using place = await createWorkplace()
  const flags = ['--mmc', '--engine-config', '{"detection_mode":"vehicle"}']
  const { summary } = await place.ingest([GATE], flags)
  expect(summary).toMatchObject({ stored: 1, rows: 1 })
  const [row] = await place.query<{ meta: object }>(
    `SELECT plate_text, plate_confidence::float8, bbox, makes_models, meta FROM vehicle_snapshots`,
  )
  expect(row).toMatchObject({
    plate_text: GATE_RESULT?.plate,
    plate_confidence: GATE_RESULT?.score,
    bbox: GATE_RESULT?.box,
    makes_models: GATE_RESULT?.model_make,
    meta: { region: GATE_RESULT?.region, dscore: GATE_RESULT?.dscore, vehicle_type: 'Sedan' },
  })
})

describe('an image known from another question', () => {
  test('is not asked again, and the summary says that --force would', async () => {
    await using place = await createWorkplace()
    await place.ingest([GATE])
    const json = await place.ingest([GATE], ['--mmc'])
    expect(json.summary).toMatchObject({ duplicate: 1, asked_differently: 1, lookups: 0 })
    const words = await place.run(['--images', 'images.txt', '--regions', 'fr'])
    expect(words.stdout).toContain('1 known image had been asked about with other regions')
    expect(words.stdout).toContain('--force asks again')
    expect(place.sandbox.lookups).toHaveLength(1)
  })

  test('is asked again with --force, once a run; rows keep their ids and surplus ones go', async () => {
    await using place = await createWorkplace()
    const twoCars = 'samples/two-cars-at-the-lights.jpg'
    await place.ingest([twoCars])
    const rows = () =>
      place.query<{ id: string; plate_text: string; created_at: Date }>(
        'SELECT id, plate_text, created_at FROM vehicle_snapshots ORDER BY result_index',
      )
    const before = await rows()
    expect(before).toHaveLength(2)
    const results = [{ plate: 'newer1', score: 0.99 }]
    place.sandbox.configure({ fault: () => ({ answer: { results } }) })

    const run = await place.ingest([twoCars, twoCars, GATE, GATE], ['--force', '--mmc'])
    expect(run.summary).toMatchObject({ images: 4, stored: 2, duplicate: 2, lookups: 2 })
    expect(run.summary).toMatchObject({ asked_differently: 0 })
    const [one, ...others] = (await rows()).sort((a, b) =>
      a.id === before[0]?.id ? -1 : b ? 1 : 0,
    )
    expect(one).toMatchObject({ id: before[0]?.id, plate_text: 'newer1' })
    expect(one?.created_at).toEqual(before[0]?.created_at)
    expect(others.map(({ plate_text }) => plate_text)).toEqual(['newer1'])
    expect(place.sandbox.lookups).toHaveLength(3)
  })

  test('keeps its bytes in the database when a forced answer finds no plate any more', async () => {
    await using place = await createWorkplace()
    await place.ingest([GATE])
    place.sandbox.configure({ answers: {} })
    const { summary } = await place.ingest([GATE], ['--force'])
    expect(summary).toMatchObject({ no_plate: 1, lookups: 1 })
    expect(await place.query('SELECT 1 FROM vehicle_snapshots')).toEqual([])
    const [kept] = await place.query<{ sha256: string; data: Uint8Array | null }>(
      'SELECT image_sha256 AS sha256, image_data AS data FROM plate_lookups',
    )
    expect(sha256Of(kept?.data ?? '')).toBe(kept?.sha256)
  })
})
