import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import type { Page } from '../../src/db/pages.ts'
import { type PlateFilter, platesStatement } from '../../src/db/plates.ts'
import { applySchema } from '../../src/db/schema.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'

interface Car {
  plate: string | null
  score?: number
  candidates?: [plate: string, score: number][]
  cars?: [make: string, model: string][]
  color?: string
  region?: string
  camera?: string
  /** Null: not known, and it was entered in 2020. */
  at?: string | null
}

const CARS: Car[] = [
  {
    ...{ plate: 'iq70otx', score: 0.931, at: '2026-03-04T05:06:07.891Z' },
    candidates: [
      ['iq70otx', 0.931],
      ['iq700tx', 0.793],
      ['io700tx', 0.2],
    ],
    cars: [
      ['Toyota', 'Camry'],
      ['Honda', 'Accord'],
    ],
    ...{ color: 'blue', region: 'gb', camera: 'gate 1' },
  },
  {
    ...{ plate: 'IQ-70 OTX', score: 0.5, at: '2026-03-03T00:00:00Z', region: 'us-ca' },
    ...{ cars: [['Honda', 'Camry']], color: 'Blue', camera: 'gate 2' },
  },
  { plate: 'abc100%', score: 1, at: '2026-03-02T00:00:00Z', region: 'us', camera: 'gate 1' },
  { plate: 'abc100x', score: 0.2, at: '2026-03-01T00:00:00Z', candidates: [['lq7ootx', 0.1]] },
  { plate: null, at: null },
]

const INSERT = `
  INSERT INTO vehicle_snapshots
    (plate_text, plate_confidence, captured_at, created_at, makes_models, colors, meta, camera_id)
  VALUES ($1, $2, $3, '2020-01-01', $4::jsonb, $5::jsonb, $6::jsonb, $7)`

async function enter(database: Database, cars: readonly Car[]): Promise<void> {
  for (const { plate, score, at, candidates, cars: guesses, color, region, camera } of cars) {
    const meta = {
      ...(region !== undefined && { region: { code: region, score: 0.5 } }),
      ...(candidates && { candidates: candidates.map(([text, n]) => ({ plate: text, score: n })) }),
    }
    const makesModels = guesses?.map(([make, model]) => ({ make, model, score: 0.5 }))
    const texts = [makesModels, color && [{ color, score: 0.5 }], meta]
    const json = texts.map((value) => (value === undefined ? null : JSON.stringify(value)))
    await database.query(INSERT, [plate, score ?? null, at ?? null, ...json, camera ?? null])
  }
}

describe.each(BOTH_DATABASES)('plates on %s', (_name, open) => {
  let opened: OpenedDatabase
  beforeAll(async () => {
    opened = await open()
    await enter(opened.database, CARS)
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** The first column of the rows found. */
  async function found(filter: PlateFilter): Promise<(string | null)[]> {
    const { sql, values } = platesStatement(filter)
    const rows: (string | null)[] = []
    const use = async (page: Page) => void rows.push(...page.rows.map(([plate = null]) => plate))
    await opened.database.readPages(sql, values, use, new AbortController().signal)
    return rows
  }

  const [first, second, third, fourth] = CARS.map(({ plate }) => plate)
  test.each<[what: string, filter: PlateFilter, plates: (string | null | undefined)[]]>([
    ['nothing: all, newest first', {}, [first, second, third, fourth, null]],
    ['a limit', { limit: 2 }, [first, second]],
    ['a plate in another case and with blanks', { plate: 'IQ 70 OTX' }, [first, second]],
    ['a beginning', { plate: 'abc*' }, [third, fourth]],
    ['an end', { plate: '*TX' }, [first, second]],
    ['one unknown character', { plate: 'iq7?otx' }, [first, second]],
    ['a character that LIKE would take for a wildcard', { plate: 'abc100%' }, [third]],
    ['a look-alike', { like: 'LQ7OO-TX' }, [fourth, first, second]],
    ['the very text first', { like: 'iq700tx' }, [first, second, fourth]],
    ['a make in another case', { make: 'tOYOTA' }, [first]],
    ['a make that is not the best guess', { make: 'honda' }, [first, second]],
    ['make and model of one guess', { make: 'Honda', model: 'Camry' }, [second]],
    ['a model', { model: 'camry' }, [first, second]],
    ['a color', { color: 'BLUE' }, [first, second]],
    ['a region', { region: 'US-CA' }, [second]],
    ['all regions of a country', { region: 'us' }, [second, third]],
    ['nothing wild in a region', { region: 'u_' }, []],
    ['a camera', { camera: 'gate 1' }, [first, third]],
    ['no camera of that case', { camera: 'Gate 1' }, []],
    ['a confidence', { minConfidence: 0.5 }, [first, second, third]],
    ['several of these', { color: 'blue', region: 'gb', camera: 'gate 1', plate: 'i*' }, [first]],
    ['since', { since: new Date('2026-03-02T00:00:00Z') }, [first, second, third]],
    ['until', { until: new Date('2026-03-02T00:00:00Z') }, [fourth, null]],
    ['SQL in a value', { plate: "x' OR '1'='1", make: "'; DROP TABLE vehicle_snapshots;" }, []],
  ])('%s', async (_what, filter, plates) => {
    expect(await found(filter)).toEqual(plates)
  })

  test('say in which time zone the columns are, and which candidate it was', async () => {
    const { sql, values } = platesStatement({ like: 'iq700tx', limit: 1 })
    const rows = await opened.database.query<Record<string, unknown>>(sql, values)
    expect(rows).toMatchObject([
      {
        captured_at: '2026-03-04T05:06:07.891Z',
        created_at: expect.stringMatching(/^20(19-12-31|20-01-01)T\d\d:00:00\.000Z$/),
        ...{ make: 'Toyota', model: 'Camry', color: 'blue', region: 'gb', camera_id: 'gate 1' },
        ...{ candidate: 'iq700tx', candidate_score: '0.793' },
      },
    ])
  })

  test('a text that is longer than an index entry may be is stored all the same', async () => {
    const digits = Array.from({ length: 30_000 }, (_, n) => (n * 7919 + (n >> 3)) % 997).join('-')
    const long = { plate: null, camera: digits, region: digits, color: digits, at: null }
    const opposed = { ...long, cars: [[digits, digits] as [string, string]] }
    await enter(opened.database, [{ ...opposed, candidates: [[digits, 0.1]] }])
    await opened.database.query('DELETE FROM vehicle_snapshots WHERE camera_id = $1', [digits])
  })
})

/** The planner is the same in both databases, and 200,000 rows take the embedded one long. */
describe('with 200,000 rows', () => {
  let opened: OpenedDatabase
  beforeAll(async () => {
    const [[, open] = []] = BOTH_DATABASES
    if (open === undefined) throw new Error('there are databases')
    opened = await open()
    const names = ['idx_vehicle_guesses', 'idx_vehicle_makes_models_jsonb']
    const definitions = await opened.database.query<{ indexdef: string }>(
      'SELECT indexdef FROM pg_indexes WHERE indexname = ANY ($1)',
      [names],
    )
    // Two indexes are much quicker made at once than row by row.
    for (const name of names) await opened.database.query(`DROP INDEX ${name}`)
    await opened.database.query(`
      INSERT INTO vehicle_snapshots
        (plate_text, plate_confidence, captured_at, created_at, makes_models, colors, meta, camera_id)
      SELECT plate, (n % 1000) / 1000.0, '2026-01-01'::timestamptz + n * interval '1 minute', now(),
             jsonb_build_array(jsonb_build_object('make', 'Make ' || n % 60, 'model', 'Model ' || n % 900)),
             jsonb_build_array(jsonb_build_object('color', 'color ' || n % 9)),
             jsonb_build_object('region', jsonb_build_object('code', 'c' || n % 400),
               'candidates', jsonb_build_array(jsonb_build_object('plate', plate, 'score', 0.9),
                                               jsonb_build_object('plate', reverse(plate), 'score', 0.1))),
             'camera ' || n % 500
      FROM (SELECT n, upper(substr(md5(n::text), 1, 7)) AS plate FROM generate_series(1, 200000) n) AS seen`)
    for (const { indexdef } of definitions) await opened.database.query(indexdef)
    await applySchema(opened.database)
    await opened.database.query('ANALYZE vehicle_snapshots')
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  test.each<[filter: PlateFilter, index: string]>([
    [{}, 'idx_vehicle_seen_at'],
    [{ since: new Date('2026-05-01'), until: new Date('2026-05-02') }, 'idx_vehicle_seen_at'],
    [{ minConfidence: 0.9 }, 'idx_vehicle_seen_at'],
    [{ plate: 'c4ca423' }, 'idx_vehicle_plate_pattern'],
    [{ plate: 'c4ca*' }, 'idx_vehicle_plate_pattern'],
    [{ like: 'c4ca423' }, 'idx_vehicle_guesses'],
    [{ make: 'make 7', model: 'model 7' }, 'idx_vehicle_guesses'],
    [{ model: 'model 7' }, 'idx_vehicle_guesses'],
    [{ region: 'c7' }, 'idx_vehicle_region'],
    [{ make: 'make 7', color: 'color 7', like: 'c4ca423' }, 'idx_vehicle_guesses'],
    [{ camera: 'camera 7' }, 'idx_vehicle_camera'],
  ])('%j is found by %s', async (filter, index) => {
    const { sql, values } = platesStatement({ ...filter, limit: 101 })
    let text = ''
    const use = async ({ rows }: Page) => {
      text = rows.join('\n')
    }
    await opened.database.readPages(`EXPLAIN ${sql}`, values, use, new AbortController().signal)
    expect(text).toContain(index)
    expect(text).not.toContain('Seq Scan')
  })
})
