const BOX = { xmin: 297, ymin: 311, xmax: 687, ymax: 498 }
const VEHICLE_BOX = { xmin: 8, ymin: 2, xmax: 1017, ymax: 762 }

/** The plate in `ANSWER`. */
export const PLATE = 'p29vgf'

/** An SDK's answer with one plate: keys, order and figures of a real one (test/fixtures/snapshot-api, 24). */
export const ANSWER = JSON.stringify({
  filename: 'p1.jpeg',
  timestamp: '2025-05-30 13:59:09.481824',
  camera_id: null,
  results: [
    {
      box: BOX,
      plate: PLATE,
      region: { code: 'ca-qc', score: 0.796 },
      score: 1,
      candidates: [{ score: 1, plate: PLATE }],
      dscore: 0.896,
      vehicle: { score: 0.756, type: 'Sedan', box: VEHICLE_BOX },
    },
  ],
  usage: { calls: 2, max_calls: 2500 },
  processing_time: 45.171,
})

/** What an SDK tells of itself. */
export const INFORMATION = JSON.stringify({
  version: '1.58.0',
  total_calls: 1_000_000_000,
  usage: { calls: 2 },
})
