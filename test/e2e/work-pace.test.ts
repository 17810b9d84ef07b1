import { expect, test, vi } from 'vitest'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const PATIENCE = { timeout: 30_000 }

/** A queue with so many lines. */
async function fillQueue({ run, draw, write }: Workplace, lines: number): Promise<void> {
  await run(['migrate'])
  await write('images.txt', (await draw(...names(lines))).join('\n'))
  expect((await run(['enqueue', '--images', 'images.txt', '--quiet'])).exitCode).toBe(0)
}

async function paceOf({ run }: Workplace) {
  return (await run(['queue', 'pace', '--json'])).records[0]
}

test('all workers keep to the longest --delay, and to what queue pace says from then on', async () => {
  await using place = await createWorkplace()
  await fillQueue(place, 20)
  const slow = await place.start(['work', '--json', '--until-empty', '--delay', '600'])
  await vi.waitFor(() => expect(place.sandbox.lookups).toHaveLength(1), PATIENCE)
  const quick = await place.start(['work', '--json', '--until-empty', '--delay', '0.01'])
  await vi.waitFor(
    async () => expect(await paceOf(place)).toMatchObject({ delay: 600, kept: 600, workers: 2 }),
    PATIENCE,
  )
  expect(place.sandbox.lookups).toHaveLength(1)

  const set = await place.run(['queue', 'pace', '0.05'])
  expect([set.exitCode, set.stdout]).toEqual([
    0,
    'Pace: one request every 0.05 s for all workers together.\n',
  ])
  const ends = await Promise.all([slow.ended, quick.ended])
  expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(ends.reduce((sum, { summary }) => sum + summary.no_plate, 0)).toBe(20)
  const times = place.sandbox.lookups.map(({ atMs }) => atMs).sort((a, b) => a - b)
  const took = (times.at(-1) ?? 0) - (times[1] ?? 0)
  expect(took).toBeGreaterThan(18 * 50 * 0.9)
  // It stays for those that come, until one of them brings its own.
  expect(await paceOf(place)).toMatchObject({ delay: 0.05, workers: 0 })
})

test('a key that is refused to one worker stops all, and their jobs wait', async () => {
  await using place = await createWorkplace({ sandbox: { totalCalls: 6 } })
  await fillQueue(place, 40)
  const workers = await Promise.all(
    [1, 2, 3].map(() => place.start(['work', '--json', '--delay', '0.2'])),
  )
  const ends = await Promise.all(workers.map(({ ended }) => ended))
  expect(ends.map(({ exitCode }) => exitCode)).toEqual([3, 3, 3])
  expect(ends.map(({ summary }) => summary.stopped)).toEqual(Array(3).fill('api_refused'))
  // Each may have had one request under way when the first was refused.
  expect(place.sandbox.lookups.length).toBeLessThanOrEqual(6 + 3)
  expect(
    await place.query('SELECT state, count(*)::int AS jobs FROM pgboss.job GROUP BY 1 ORDER BY 1'),
  ).toEqual([
    { state: 'created', jobs: 34 },
    { state: 'completed', jobs: 6 },
  ])
})
