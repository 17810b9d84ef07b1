import { describe, expect, test, vi } from 'vitest'
import { answersFor, pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const PICTURES = names(12)
const answers = answersFor(
  Object.fromEntries(PICTURES.map((name, n) => [name, [[`abc${n}`, 0.9]]])),
)
const FLAGS = ['--concurrency', '4']
const PATIENCE = { timeout: 30_000 }

/** Resolves when so many lookups have been begun, which the sandbox is slow to answer. */
function inFlight({ sandbox }: Workplace, lookups: number) {
  return vi.waitFor(() => expect(sandbox.billedCount()).toBeGreaterThanOrEqual(lookups), PATIENCE)
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, exit) => {
  test(`finishes and writes the lookups in flight, leaves the rest, and exits ${exit}`, async () => {
    await using place = await createWorkplace({ sandbox: { answers, latencyMs: 1_000 } })
    const lines = await place.draw(...PICTURES)
    const running = await place.startIngest(lines, FLAGS)
    await inFlight(place, 4)
    running.kill(signal)
    const { exitCode, images, summary, stderr } = await running.ended
    expect(exitCode).toBe(exit)
    // Four, unless the machine was so slow that one was answered before the signal.
    const done = place.sandbox.billedCount()
    expect(done).toBeLessThan(12)
    expect(images.map(({ outcome }) => outcome)).toEqual(Array(done).fill('stored'))
    expect(summary).toMatchObject({ images: done, stored: done, rows: done, failed: 0 })
    expect(summary).toMatchObject({ lookups: done, attempts: done, stopped: 'interrupted' })
    expect(stderr).toContain('The run was interrupted.\nRun the same list again')
    expect(await place.query('SELECT 1 FROM vehicle_snapshots')).toHaveLength(done)

    place.sandbox.configure({ latencyMs: 0 })
    const second = await place.ingest(lines, FLAGS)
    expect(second.exitCode).toBe(0)
    expect(second.summary).toMatchObject({ images: 12, duplicate: done, stored: 12 - done })
    for (const name of PICTURES) {
      expect(place.sandbox.billedCount(sha256Of(pictureOf(name)))).toBe(1)
    }
  })

  test('a second time ends the run at once', async () => {
    await using place = await createWorkplace({ sandbox: { fault: () => 'hang' } })
    const running = await place.startIngest(await place.draw(...PICTURES), FLAGS)
    await inFlight(place, 4)
    running.kill(signal)
    // Only its second one is obeyed at once: this one tells that the first has come.
    await vi.waitFor(() => {
      running.kill(signal)
      expect(running.hasEnded()).toBe(true)
    }, PATIENCE)
    expect((await running.ended).exitCode).toBe(exit)
    expect(place.sandbox.lookups).toHaveLength(4)
  })
})

test('--grace is how long lookups in flight are waited for; their answers count as lost', async () => {
  await using place = await createWorkplace({ sandbox: { fault: () => 'hang' } })
  const lines = await place.draw(...names(2))
  const running = await place.startIngest(lines, ['--grace', '0.2'])
  await inFlight(place, 2)
  running.kill('SIGINT')
  const { exitCode, images, summary } = await running.ended
  expect(exitCode).toBe(130)
  expect(images.map(({ error }) => error?.code)).toEqual(['answer_lost', 'answer_lost'])
  expect(summary).toMatchObject({ failed: 2, uncertain: 2, stopped: 'interrupted' })

  place.sandbox.configure({ fault: undefined })
  const careful = await place.ingest(lines, ['--lost-answer', 'fail'])
  expect(careful.summary).toMatchObject({ failed: 2, lookups: 0 })
  const second = await place.ingest(lines)
  expect(second.summary).toMatchObject({ no_plate: 2, lookups: 2 })
})

test('while waiting for the delay an interruption is obeyed at once', async () => {
  await using place = await createWorkplace()
  const lines = await place.draw(...names(5))
  const running = await place.startIngest(lines, ['--delay', '600'])
  await running.untilSaid(/"event":"image"/)
  running.kill('SIGTERM')
  const { exitCode, summary } = await running.ended
  expect(exitCode).toBe(143)
  expect(summary).toMatchObject({ images: 1, failed: 0, lookups: 1, stopped: 'interrupted' })
  const [claims] = await place.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM plate_lookups WHERE claimed_by IS NOT NULL',
  )
  expect(claims).toEqual({ n: 0 })
})

test('while standard input is waited for an interruption is obeyed too', async () => {
  await using place = await createWorkplace()
  const args = ['--images', '-', '--json']
  const running = await place.start(args, {
    input: 'samples/gate-sedan-front.jpg\n',
    keepInputOpen: true,
  })
  await running.untilSaid(/"event":"image"/)
  running.kill('SIGINT')
  const { exitCode, summary } = await running.ended
  expect([exitCode, summary.images, summary.stopped]).toEqual([130, 1, 'interrupted'])
})

test('a process that is killed leaves nothing half written, and the next run takes its claims over', async () => {
  await using place = await createWorkplace({ sandbox: { answers, fault: () => 'hang' } })
  const lines = await place.draw(...PICTURES)
  const running = await place.startIngest(lines, FLAGS)
  await inFlight(place, 4)
  running.kill('SIGKILL')
  expect((await running.ended).exitCode).toBe(null)
  place.sandbox.configure({ fault: undefined })
  const { exitCode, summary } = await place.ingest(lines)
  expect(exitCode).toBe(0)
  expect(summary).toMatchObject({ images: 12, stored: 12, rows: 12, lookups: 12 })
  expect(summary.seconds).toBeLessThan(20)
})
