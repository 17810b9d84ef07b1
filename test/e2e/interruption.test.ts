import { describe, expect, test, vi } from 'vitest'
import { answersFor, pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, names } from '../support/workplace.ts'

const PICTURES = names(12)
const answers = answersFor(
  Object.fromEntries(PICTURES.map((name, n) => [name, [[`abc${n}`, 0.9]]])),
)
const FLAGS = ['--concurrency', '4']

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, exit) => {
  test(`finishes and writes the lookups in flight, leaves the rest, and exits ${exit}`, async () => {
    await using place = await createWorkplace({ sandbox: { answers, latencyMs: 700 } })
    const lines = await place.draw(...PICTURES)
    const running = await place.startIngest(lines, FLAGS)
    await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(4))
    running.kill(signal)
    const { exitCode, images, summary, stderr } = await running.ended
    expect(exitCode).toBe(exit)
    expect(images.map(({ outcome }) => outcome)).toEqual(Array(4).fill('stored'))
    expect(summary).toMatchObject({ images: 4, stored: 4, rows: 4, failed: 0 })
    expect(summary).toMatchObject({ lookups: 4, stopped: 'interrupted' })
    expect(stderr).toContain('The run was interrupted.\nRun the same list again')
    expect(await place.query('SELECT 1 FROM vehicle_snapshots')).toHaveLength(4)
    expect(place.sandbox.lookups).toHaveLength(4)

    place.sandbox.configure({ latencyMs: 0 })
    const second = await place.ingest(lines, FLAGS)
    expect(second.exitCode).toBe(0)
    expect(second.summary).toMatchObject({ images: 12, duplicate: 4, stored: 8, lookups: 8 })
    for (const name of PICTURES) {
      expect(place.sandbox.billedCount(sha256Of(pictureOf(name)))).toBe(1)
    }
  })

  test('a second time ends the run at once', async () => {
    await using place = await createWorkplace({ sandbox: { fault: () => 'hang' } })
    const running = await place.startIngest(await place.draw(...PICTURES), FLAGS)
    await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(4))
    running.kill(signal)
    // Only its second one is obeyed at once: this one tells that the first has come.
    await vi.waitFor(() => {
      running.kill(signal)
      expect(running.hasEnded()).toBe(true)
    })
    expect((await running.ended).exitCode).toBe(exit)
    expect(place.sandbox.lookups).toHaveLength(4)
  })
})

test('--grace is how long lookups in flight are waited for; their answers count as lost', async () => {
  await using place = await createWorkplace({ sandbox: { fault: () => 'hang' } })
  const lines = await place.draw(...names(2))
  const running = await place.startIngest(lines, ['--grace', '0.2'])
  await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(2))
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
  await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(4))
  running.kill('SIGKILL')
  expect((await running.ended).exitCode).toBe(null)
  place.sandbox.configure({ fault: undefined })
  const { exitCode, summary } = await place.ingest(lines)
  expect(exitCode).toBe(0)
  expect(summary).toMatchObject({ images: 12, stored: 12, rows: 12, lookups: 12 })
  expect(summary.seconds).toBeLessThan(20)
})
