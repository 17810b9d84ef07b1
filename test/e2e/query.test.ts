import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SAMPLE_ANSWERS } from '../support/sample-pictures.ts'
import { createWorkplace, ENDLESS, IS_BUSY, type Workplace } from '../support/workplace.ts'

const SAMPLES = Object.values(SAMPLE_ANSWERS).map(({ file }) => `samples/${file}`)

describe.each(['server', 'embedded'] as const)('plates and query on the %s database', (kind) => {
  let place: Workplace
  beforeAll(async () => {
    place = await createWorkplace({ database: kind })
    const { summary } = await place.ingest(SAMPLES, ['--mmc', '--camera-id', 'gate 1'])
    expect(summary.rows).toBe(11)
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('plates is a table for people, newest first', async () => {
    const { exitCode, stdout, stderr } = await place.run(['plates', '--make', 'TOYOTA'])
    expect([exitCode, stderr]).toEqual([0, '2 rows.\n'])
    const [heads, rule, ...rows] = stdout.trimEnd().split('\n')
    expect(heads).toMatch(
      /^plate +confidence +time +vehicle +model +color +region +camera +image +id$/,
    )
    expect(rule).toMatch(/^(─+ {2})+─+$/)
    expect(rows.map((row) => row.split(/ {2,}/).toSpliced(2, 1).slice(0, 8)).sort()).toEqual([
      [
        'ae010i',
        '0.945',
        'Sedan',
        'Toyota Corolla',
        'black',
        'nl',
        'gate 1',
        SAMPLES.find((name) => name.includes('city')),
      ],
      [
        'iq70otx',
        '0.931',
        'Sedan',
        'Toyota Camry',
        'blue',
        'gb',
        'gate 1',
        SAMPLES.find((name) => name.includes('gate')),
      ],
    ])
  })

  test('query gives an embedded database’s rows as those of a server', async () => {
    const sql = `SELECT plate_text, plate_confidence, makes_models->0->>'make' AS make, colors IS NULL AS colorless
      FROM vehicle_snapshots WHERE plate_confidence > 0.96 ORDER BY plate_text;`
    const { exitCode, stdout, stderr } = await place.run(['query', sql, '--json'])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')).toEqual([
      '{"plate_text":"0plt204","plate_confidence":0.967,"make":"Ford","colorless":false}',
      '{"plate_text":"io108uo","plate_confidence":1,"make":"Renault","colorless":false}',
      '{"plate_text":"qi20417","plate_confidence":0.978,"make":"Volkswagen","colorless":false}',
      '',
    ])
  })

  test.each<[what: string, sql: string, said: string]>([
    ['a write', 'DELETE FROM vehicle_snapshots', 'The query begins with DELETE.'],
    [
      'a write within a SELECT',
      'WITH gone AS (DELETE FROM vehicle_snapshots RETURNING 1) SELECT * FROM gone',
      'must not contain data-modifying statements',
    ],
    ['a second statement', 'SELECT 1; DROP TABLE image_sources', 'multiple commands'],
    ['a value that nobody gives', 'SELECT * FROM image_sources WHERE source = $1', 'parameter'],
  ])('query refuses %s, and nothing is changed', async (_what, sql, said) => {
    const { exitCode, stdout, stderr } = await place.run(['query', sql])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain(said)
    expect(stderr).toMatch(/ \[query_refused\]\nIt takes one statement that only reads: SELECT/)
  })
})

test('what is written in spite of all does not stay', async () => {
  await using place = await createWorkplace({ database: 'embedded' })
  // PostgreSQL takes EXPLAIN for reading, whatever it explains.
  await place.run(['query', 'EXPLAIN ANALYZE CREATE TABLE made AS SELECT 1 AS one'])
  const { exitCode, stderr } = await place.run(['query', '/* a /* b */ c */ TABLE made'])
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('"made" does not exist')])
})

describe('on a server', () => {
  let place: Workplace
  beforeAll(async () => {
    place = await createWorkplace()
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test.each<[sql: string, said: string]>([
    ['EXPLAIN ANALYZE DELETE FROM vehicle_snapshots', 'cannot execute DELETE in a read-only'],
    ["SELECT set_config('transaction_read_only', 'off', true)", 'must be set before any query'],
    ['SELECT nope FROM vehicle_snapshots', 'column "nope" does not exist'],
    ['SELECT 1/0', 'division by zero'],
    ['COMMIT', 'begins with COMMIT'],
    [' -- nothing', 'holds no statement'],
  ])('%s is refused', async (sql, said) => {
    const { exitCode, stderr } = await place.run(['query', sql])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(said)])
    expect(stderr).toContain('[query_refused]')
  })

  test('a table has its rows from a cursor, and says how many there were', async () => {
    const sql = `SELECT n, chr(27) || '[2J' AS "red" FROM generate_series(1, 1201) n`
    const { exitCode, stdout, stderr } = await place.run(['query', '-'], { input: sql })
    expect([exitCode, stderr]).toEqual([0, '1,201 rows.\n'])
    const lines = stdout.trimEnd().split('\n')
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([1203, 'n    red', '1201  \\x1b[2J'])
  })

  test('rows as wide as images come a few at a time', async () => {
    const wide = `SELECT n, repeat('x', 3000000) AS x FROM generate_series(1, 60) n`
    const env = { NODE_OPTIONS: '--max-old-space-size=100' }
    const { exitCode, stdout } = await place.run(['query', wide, '--csv'], { env })
    expect([exitCode, stdout.match(/^\d+,xxx/gm)?.length]).toEqual([0, 60])
  })

  test('EXPLAIN and SHOW are answered', async () => {
    const explained = await place.run(['query', 'explain table vehicle_snapshots', '--csv'])
    expect(explained.stdout).toMatch(/^QUERY PLAN\n.*vehicle_snapshots/)
    expect((await place.run(['query', 'SHOW server_encoding'])).stdout).toContain('UTF8')
  })

  test('SIGTERM ends a query of which rows are being written', async () => {
    const endless = 'SELECT generate_series(1, 1000000000) AS n'
    const running = await place.start(['query', endless, '--csv'])
    await running.untilSaid(/^499$/m)
    running.kill('SIGTERM')
    expect((await running.ended).exitCode).toBe(143)
  })

  test('SIGINT ends a query that the server is busy with', async () => {
    const running = await place.start(['query', ENDLESS])
    while ((await place.query(IS_BUSY)).length === 0);
    running.kill('SIGINT')
    const { exitCode, stderr } = await running.ended
    expect([exitCode, stderr]).toEqual([130, expect.stringContaining('interrupted')])
    // The server was told, too.
    while ((await place.query(IS_BUSY)).length > 0);
  })

  test('without rows there are the heads, and a sentence', async () => {
    const { exitCode, stdout, stderr } = await place.run(['plates', '--plate', 'nobody'])
    expect([exitCode, stderr]).toEqual([0, 'No row is like that.\n'])
    expect(stdout).toMatch(/^plate {2}confidence {2}time/)
    expect((await place.run(['plates', '--json'])).stdout).toBe('')
  })

  test('the table shows the first hundred rows and says that there are more; files have all', async () => {
    await place.query(`INSERT INTO vehicle_snapshots (plate_text, created_at)
      SELECT 'many' || n, now() + n * interval '1 second' FROM generate_series(1, 120) n`)
    const { stdout, stderr } = await place.run(['plates'])
    expect([stdout.trimEnd().split('\n').length, stdout.split('\n')[2]]).toEqual([
      102,
      expect.stringMatching(/^many120 /),
    ])
    expect(stderr).toBe('The first 100 rows; --limit shows more, --csv and --json give all.\n')
    expect((await place.run(['plates', '--json'])).records).toHaveLength(120)
    const three = await place.run(['plates', '--csv', '--limit', '3'])
    expect(three.stdout.trimEnd().split('\n')).toHaveLength(4)
    expect(three.stderr).toBe('')
  })

  test('wrong flags are told together, before the database is opened', async () => {
    const flags = [
      '--since',
      'yesterday',
      '--limit',
      '0',
      '--min-confidence',
      '2',
      '--csv',
      '--json',
    ]
    const env = { DATABASE_URL: 'postgresql://127.0.0.1:1/nobody' }
    const { exitCode, stderr } = await place.run(['plates', ...flags], { env })
    expect(exitCode).toBe(2)
    for (const flag of ['--since', '--limit', '--min-confidence']) expect(stderr).toContain(flag)
    const both = await place.run(['query', 'SELECT 1', '--csv', '--json'], { env })
    expect([both.exitCode, both.stderr]).toEqual([2, expect.stringContaining('choose one')])
  })
})

test('an embedded database that is not there is not made, and not taken for an empty one', async () => {
  await using place = await createWorkplace({ database: 'embedded', isNew: true })
  for (const args of [['plates'], ['query', 'SELECT 1']]) {
    const { exitCode, stderr } = await place.run(args)
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('There is no database yet')])
  }
})
