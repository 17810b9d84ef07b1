import { expect, test, vi } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { answersFor } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const PATIENCE = { timeout: 30_000 }
const FLAGS = ['--delay', '0', '--json']

const PICTURES = names(300)
const answers = answersFor(
  Object.fromEntries(PICTURES.map((name, n) => [name, [[`abc${n}`, 0.9]]])),
)

/** Starts a run over a list of its own, so that no two runs write the same list. */
async function start(place: Workplace, list: string, lines: readonly string[]) {
  await place.write(list, lines.join('\n'))
  return place.start(['--images', list, ...FLAGS])
}

function sumOf(runs: readonly CliResult[], figure: 'stored' | 'duplicate' | 'failed' | 'rows') {
  return runs.reduce((sum, { summary }) => sum + summary[figure], 0)
}

/** Every one of so many images has one good answer and one row, and nobody holds a claim any more. */
async function expectEachOnce({ query, sandbox }: Workplace, images: number) {
  const good = sandbox.lookups.filter(({ status }) => status === 201)
  expect(good).toHaveLength(images)
  expect(new Set(good.map(({ sha256 }) => sha256)).size).toBe(images)
  const [rows] = await query(
    'SELECT count(*)::int AS rows, count(DISTINCT image_sha256)::int AS images FROM vehicle_snapshots',
  )
  expect(rows).toEqual({ rows: images, images })
  expect(await query('SELECT 1 FROM plate_lookups WHERE claimed_by IS NOT NULL')).toEqual([])
}

test('three processes on one list of 300 images bill each image once, and all three get through', async () => {
  await using place = await createWorkplace({ storage: 's3', sandbox: { answers, latencyMs: 20 } })
  const lines = await place.draw(...PICTURES)
  const started = await Promise.all(['a', 'b', 'c'].map((list) => start(place, list, lines)))
  const runs = await Promise.all(started.map(({ ended }) => ended))
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
  expect(runs.map(({ summary }) => summary.images)).toEqual([300, 300, 300])
  expect(sumOf(runs, 'stored')).toBe(300)
  expect(sumOf(runs, 'duplicate')).toBe(600)
  expect(sumOf(runs, 'failed')).toBe(0)
  expect(sumOf(runs, 'rows')).toBe(300)
  expect(place.sandbox.billedCount()).toBe(300)
  expect(place.sandbox.lookups).toHaveLength(300)
  await expectEachOnce(place, 300)
})

test('of two lists that share images under other names, each process does its own and waits for the other', async () => {
  await using place = await createWorkplace({ sandbox: { answers, latencyMs: 50 } })
  const lines = await place.draw(...PICTURES.slice(0, 60))
  const others = lines.slice(20).map((name) => `./${name}`)
  const started = await Promise.all([
    start(place, 'one', lines.slice(0, 40)),
    start(place, 'other', others),
  ])
  const runs = await Promise.all(started.map(({ ended }) => ended))
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect([sumOf(runs, 'stored'), sumOf(runs, 'duplicate')]).toEqual([60, 20])
  expect(place.sandbox.lookups).toHaveLength(60)
  await expectEachOnce(place, 60)
})

test('a process that is killed while two others wait for its images leaves them to these', async () => {
  await using place = await createWorkplace({ sandbox: { answers, fault: () => 'hang' } })
  const lines = await place.draw(...PICTURES.slice(0, 40))
  const killed = await start(place, 'killed', lines)
  await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(8), PATIENCE)
  const held = place.sandbox.lookups.map(({ sha256 }) => sha256)

  place.sandbox.configure({ fault: undefined })
  const others = await Promise.all(
    ['./', '././'].map((prefix, n) =>
      start(
        place,
        `other ${n}`,
        lines.map((name) => prefix + name),
      ),
    ),
  )
  // Whoever asks for an image notes the name it has it under: of each of the 8, three have.
  const sources = 'SELECT 1 FROM image_sources WHERE image_sha256 = ANY($1)'
  await vi.waitFor(
    async () => expect(await place.query(sources, [held])).toHaveLength(24),
    PATIENCE,
  )
  expect(place.sandbox.lookups).toHaveLength(8)
  killed.kill('SIGKILL')

  const runs = await Promise.all(others.map(({ ended }) => ended))
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect([sumOf(runs, 'stored'), sumOf(runs, 'duplicate')]).toEqual([40, 40])
  expect(place.sandbox.lookups).toHaveLength(48)
  await expectEachOnce(place, 40)
  const [asked] = await place.query(
    'SELECT sum(attempts)::int AS attempts, sum(uncertain)::int AS uncertain FROM plate_lookups',
  )
  expect(asked).toEqual({ attempts: 48, uncertain: 8 })
})

test('a process that is told to end leaves the rest to the other, which gets through', async () => {
  await using place = await createWorkplace({ sandbox: { answers, latencyMs: 200 } })
  const lines = await place.draw(...PICTURES.slice(0, 200))
  const started = await Promise.all(['one', 'other'].map((list) => start(place, list, lines)))
  const [one, other] = started
  await Promise.all(started.map((run) => run.untilSaid(/"event":"image"/)))
  one?.kill('SIGTERM')
  const runs = await Promise.all(started.map(({ ended }) => ended))
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([143, 0])
  expect(runs.map(({ summary }) => summary.stopped)).toEqual(['interrupted', null])
  expect((await other?.ended)?.summary).toMatchObject({ images: 200, failed: 0 })
  expect([sumOf(runs, 'stored'), sumOf(runs, 'failed')]).toEqual([200, 0])
  expect(place.sandbox.lookups).toHaveLength(200)
  await expectEachOnce(place, 200)
})
