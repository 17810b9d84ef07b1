import { randomInt, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SandboxFault } from '../../src/sandbox/fault.ts'
import { createSpool } from '../../src/spool.ts'
import { chance } from '../support/chance.ts'
import { pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const SEED = Number(process.env['STORM_SEED'] || randomInt(2 ** 31))

describe.each([SEED, SEED + 1, SEED + 2])('in a storm of faults (STORM_SEED=%i)', (seed) => {
  /** Half of all requests go well; of the others only those that are refused with 4xx are certainly not billed. */
  const FAULTS: readonly SandboxFault[] = [
    { status: 400 },
    { status: 413 },
    { status: 500 },
    { status: 503 },
    'reset-before-answer',
    'reset-after-billing',
    'reset-in-answer',
    'truncated-json',
    'html-200',
    'hang',
  ]
  const budget = 25

  test('requests that may be billed never exceed --max-lookups', async () => {
    await using place = await createWorkplace({
      sandbox: {
        latencyMs: [0, 50],
        resetBeforeBody: ({ index }) => index % 10 === 7,
        fault({ index }) {
          if (index === 12) return { status: 429, headers: { 'retry-after': '1' } }
          return FAULTS[Math.floor(chance(seed, index) * 2 * FAULTS.length)]
        },
      },
    })
    const lines = await place.draw(...names(80))
    const flags = ['--max-lookups', `${budget}`, '--concurrency', '16', '--retries', '2']
    const patience = ['--lost-answer', 'retry', '--lookup-timeout', '1', '--stop-after', '1000']
    const { exitCode, summary } = await place.ingest(lines, [...flags, ...patience])
    expect([exitCode, summary.stopped]).toEqual([3, 'max_lookups'])
    const { lookups } = place.sandbox
    const refused = lookups.filter(({ status = 0 }) => status >= 400 && status < 500)
    const perhapsBilled = lookups.length - refused.length
    expect(perhapsBilled).toBeLessThanOrEqual(budget)
    // What is refused when the run has stopped already is left of the budget.
    expect(perhapsBilled).toBeGreaterThan(budget - 16)
    expect(place.sandbox.billedCount()).toBeLessThanOrEqual(perhapsBilled)
    expect(summary).toMatchObject({ attempts: lookups.length, left: 80 - summary.images })
  })
})

/** Pictures whose answers are lost: perhaps billed, and not known. */
async function lose(place: Workplace, lines: readonly string[]) {
  place.sandbox.configure({ fault: () => 'html-200' })
  await place.ingest(lines, ['--lost-answer', 'fail'])
  place.sandbox.configure({ fault: undefined })
}

/** Pictures whose answers are in the ledger, but no rows of them, because the database refused these. */
async function refuseRowsOf(place: Workplace, lines: readonly string[]) {
  await place.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no rows today'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON vehicle_snapshots FOR EACH ROW EXECUTE FUNCTION refuse()`)
  const results = [{ plate: 'abc123', score: 0.9 }]
  place.sandbox.configure({ fault: () => ({ answer: { results } }) })
  await place.ingest(lines)
  place.sandbox.configure({ fault: undefined })
  await place.query('DROP TRIGGER refuse ON vehicle_snapshots')
}

/** Pictures whose answers an earlier run brought to the disk because the database was away. */
async function spool({ folder, query }: Workplace, lines: readonly string[]) {
  const [row] = await query<{ id: string }>('SELECT database_id AS id FROM plate_snapshot_schema')
  const run = randomUUID()
  const spooled = createSpool(join(folder, '.local/state/plate-snapshot'), row?.id ?? '', run)
  const answeredAt = new Date().toISOString()
  for (const source of lines) {
    await spooled.keep({
      ...{ answeredAt, attempts: 1, uncertain: 0 },
      ...{ run, source, sha256: sha256Of(pictureOf(source)), mime: 'image/jpeg', threshold: 0 },
      ...{ question: { regions: [], mmc: false }, raw: { results: [] } },
    })
  }
}

/** Pictures of which one was under way when the process died. */
async function die(place: Workplace, lines: readonly string[], step: string) {
  const env = { PLATE_SNAPSHOT_DIE_AT: step }
  const { exitCode } = await place.ingest(lines, ['--concurrency', '1'], { env })
  expect(exitCode).toBe(null)
}

interface Case {
  prepare?: (place: Workplace) => Promise<unknown>
  lines: string[]
  flags?: string[]
  lookups: number
  exit?: number
  stopped?: string
}

const [A, B, C, D, E] = ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg'] as const
const ALL = [A, B, C, D, E]
const COPY = 'copies/of a.jpg'
const FAIL = ['--lost-answer', 'fail']

describe('--dry-run predicts the lookups of the run after it exactly', () => {
  test.each<[what: string, each: Case]>([
    [
      'known images among them',
      { prepare: (place) => place.ingest([A, B]), lines: ALL, lookups: 3 },
    ],
    [
      'images known from another question',
      { prepare: (place) => place.ingest([A]), lines: ALL, flags: ['--mmc'], lookups: 4 },
    ],
    ['new images and copies of them', { lines: [A, A, COPY, B, A, COPY, B], lookups: 2 }],
    [
      '--force with known images, new ones and copies',
      {
        prepare: (place) => place.ingest([A, B]),
        lines: [A, COPY, B, C, A],
        flags: ['--force'],
        lookups: 3,
      },
    ],
    [
      'a budget that does not suffice',
      {
        prepare: (place) => place.ingest([A]),
        ...{ lines: ALL, flags: ['--max-lookups', '2'], lookups: 2 },
        ...{ exit: 3, stopped: 'max_lookups' },
      },
    ],
    [
      'a budget that just suffices',
      {
        prepare: (place) => place.ingest([A]),
        ...{ lines: [...ALL, COPY], flags: ['--max-lookups', '4'], lookups: 4 },
      },
    ],
    [
      'lost answers and --lost-answer fail',
      {
        prepare: (place) => lose(place, [A, B]),
        ...{ lines: [...ALL, COPY], flags: FAIL, lookups: 3, exit: 1 },
      },
    ],
    [
      'a lost answer, --lost-answer fail and --force',
      {
        prepare: (place) => lose(place, [A]),
        ...{ lines: [A, B, COPY], flags: [...FAIL, '--force'], lookups: 2 },
      },
    ],
    [
      'a lost answer, --lost-answer fail and a budget',
      {
        prepare: (place) => lose(place, [A]),
        ...{ lines: ALL, flags: [...FAIL, '--max-lookups', '4', '--concurrency', '1'] },
        ...{ lookups: 4, exit: 1 },
      },
    ],
    [
      'broken lines',
      {
        lines: [A, 'missing.jpg', 'copies', 'letter.jpg', 'empty.jpg', 'large.jpg', B],
        ...{ flags: ['--max-image-bytes', '1000'], lookups: 2, exit: 1 },
      },
    ],
    [
      'an answer whose rows were refused',
      { prepare: (place) => refuseRowsOf(place, [A]), lines: [A, COPY, B], lookups: 1 },
    ],
    [
      'an answer whose rows were refused, and --force',
      {
        prepare: (place) => refuseRowsOf(place, [A]),
        ...{ lines: [A, COPY, B], flags: ['--force'], lookups: 1 },
      },
    ],
    [
      'answers that wait in a file',
      { prepare: (place) => spool(place, [A, B]), lines: [...ALL, COPY], lookups: 3 },
    ],
    [
      'answers that wait in a file, and --force',
      {
        prepare: (place) => spool(place, [A, B]),
        ...{ lines: [A, B, C], flags: ['--force'], lookups: 3 },
      },
    ],
    [
      'a process that died while it asked, and --lost-answer fail',
      {
        prepare: (place) => die(place, [A, B], 'after asking'),
        ...{ lines: ALL, flags: FAIL, lookups: 4, exit: 1 },
      },
    ],
    [
      'a process that died before it asked, and --lost-answer fail',
      {
        prepare: (place) => die(place, [A, B], 'before lookup'),
        ...{ lines: ALL, flags: FAIL, lookups: 5 },
      },
    ],
  ])('%s', async (_, { prepare, lines, flags = [], lookups, exit = 0, stopped = null }) => {
    await using place = await createWorkplace()
    await place.draw(...ALL)
    await place.write(COPY, pictureOf(A))
    await place.write('letter.jpg', 'Dear reader')
    await place.write('empty.jpg', '')
    await place.write('large.jpg', pictureOf('large', 2_000))
    await prepare?.(place)
    place.sandbox.reset()

    const dry = await place.ingest(lines, [...flags, '--dry-run'])
    expect(place.sandbox.lookups).toEqual([])
    const real = await place.ingest(lines, flags)
    expect([dry.summary.would_look_up, real.summary.lookups]).toEqual([lookups, lookups])
    expect(place.sandbox.billedCount()).toBe(lookups)
    expect([dry.exitCode, real.exitCode]).toEqual([exit, exit])
    expect([dry.summary.stopped, real.summary.stopped]).toEqual([stopped, stopped])
  })
})

describe('the summary', () => {
  test('says how many lookups the ledger saved, for people and for machines', async () => {
    await using place = await createWorkplace()
    await place.draw(...ALL)
    await place.write(COPY, pictureOf(A))
    const first = await place.ingest([...ALL, COPY])
    expect(first.summary).toMatchObject({ lookups: 5, lookups_saved: 1 })
    const second = await place.ingest([...ALL, COPY])
    expect(second.summary).toMatchObject({ lookups: 0, lookups_saved: 6 })
    const words = await place.run(['--images', 'images.txt'])
    expect(words.stdout).toContain('\n6 lookups saved by the ledger\n')
  })

  test('counts an answer that had been paid for before as saved', async () => {
    await using place = await createWorkplace()
    await place.draw(A, B)
    await refuseRowsOf(place, [A])
    await place.write('list.txt', [A, B].join('\n'))
    const { stdout } = await place.run(['--images', 'list.txt', '--delay', '0'])
    expect(stdout).toContain('\n1 lookup, 1 lookup saved by the ledger\n')
  })
})
