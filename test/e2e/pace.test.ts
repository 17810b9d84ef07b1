import { describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, names } from '../support/workplace.ts'

/** Milliseconds between one request's arrival at the sandbox and the next one's. */
function gapsOf({ lookups }: Sandbox): number[] {
  return lookups.slice(1).map(({ atMs }, index) => atMs - (lookups[index]?.atMs ?? 0))
}

/** Requests may be long on their way, and their gaps shrink or grow by that; all gaps together hardly do. */
function expectSpacing(sandbox: Sandbox, spacingMs: number) {
  const gaps = gapsOf(sandbox)
  const whole = gaps.reduce((sum, gap) => sum + gap, 0)
  expect(whole).toBeGreaterThan(gaps.length * spacingMs * 0.8)
}

describe('--delay spaces requests from start to start', () => {
  test('whatever the concurrency and however slow the answers', async () => {
    await using place = await createWorkplace({ sandbox: { latencyMs: 300 } })
    const lines = await place.draw(...names(8))
    const { exitCode, summary } = await place.ingest(lines, ['--delay', '0.15'])
    expect([exitCode, summary.lookups]).toEqual([0, 8])
    expectSpacing(place.sandbox, 150)
  })

  test('retries included', async () => {
    await using place = await createWorkplace({
      sandbox: { fault: ({ attempt }) => (attempt === 1 ? { status: 503 } : undefined) },
    })
    const lines = await place.draw(...names(4))
    const { summary } = await place.ingest(lines, ['--delay', '0.15'])
    expect(summary).toMatchObject({ lookups: 4, attempts: 8, failed: 0 })
    expectSpacing(place.sandbox, 150)
  })

  test('for two processes with one key on one server database together', async () => {
    await using place = await createWorkplace()
    const [first, second] = [names(5, 'one'), names(5, 'other')]
    await place.draw(...first, ...second)
    await place.write('first.txt', first.join('\n'))
    await place.write('second.txt', second.join('\n'))
    const run = (list: string) => place.run(['--images', list, '--delay', '0.15'])
    const runs = await Promise.all([run('first.txt'), run('second.txt')])
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    expect(place.sandbox.billedCount()).toBe(10)
    expectSpacing(place.sandbox, 150)
  })
})

describe('429', () => {
  test('a storm of them loses nothing, uses no retry and bills every image once', async () => {
    await using place = await createWorkplace({ sandbox: { lookupsPerSecond: 5 } })
    const lines = await place.draw(...names(16))
    const { exitCode, summary } = await place.ingest(lines, [
      '--concurrency',
      '8',
      '--retries',
      '0',
    ])
    expect(exitCode).toBe(0)
    expect(summary).toMatchObject({ images: 16, no_plate: 16, failed: 0, lookups: 16 })
    expect(summary.attempts).toBe(place.sandbox.lookups.length)
    expect(place.sandbox.lookups.filter(({ status }) => status === 429).length).toBeGreaterThan(0)
    for (const name of lines) {
      expect(place.sandbox.billedCount(sha256Of(pictureOf(name)))).toBe(1)
    }
  })

  test.each([
    ['the Retry-After header', { headers: { 'retry-after': '2' } }],
    [
      'the sentence in its body',
      { body: '{"detail":"Request was throttled. Expected available in 2 seconds."}' },
    ],
  ])('makes all lookups wait as long as %s says', async (_, said) => {
    await using place = await createWorkplace({
      sandbox: { fault: ({ index }) => (index === 0 ? { status: 429, ...said } : undefined) },
    })
    const lines = await place.draw(...names(3))
    const { exitCode, summary } = await place.ingest(lines, ['--retries', '0', '--delay', '0.1'])
    expect(exitCode).toBe(0)
    expect(summary).toMatchObject({ images: 3, failed: 0, attempts: 4 })
    // One that had started before the answer came is not held back; the others are.
    expect(gapsOf(place.sandbox).filter((gap) => gap > 1_800)).toHaveLength(1)
  })

  test('a wait long enough to wonder about is told of, once', async () => {
    await using place = await createWorkplace({
      sandbox: { fault: () => ({ status: 429, headers: { 'retry-after': '6' } }) },
    })
    const running = await place.startIngest(await place.draw(...names(4)))
    await running.untilSaid(/The API asks to wait 6 s \(429\); all lookups wait\./)
    running.kill('SIGINT')
    const { exitCode, stderr, summary } = await running.ended
    expect(exitCode).toBe(130)
    expect(stderr.match(/asks to wait/g)).toHaveLength(1)
    expect(summary).toMatchObject({ images: 0, stopped: 'interrupted' })
  })
})

test('a key that is refused to one process stops all that use it on the database, and nothing is lost', async () => {
  await using place = await createWorkplace()
  const lists = { 'first.txt': names(12, 'one'), 'second.txt': names(12, 'other') }
  const start = async ([list, lines]: [string, string[]]) => {
    await place.write(list, (await place.draw(...lines)).join('\n'))
    return place.start(['--images', list, '--delay', '0.4', '--json'])
  }
  const started = await Promise.all(Object.entries(lists).map(start))
  await Promise.all(started.map((run) => run.untilSaid(/"event":"image"/)))
  let refusals = 0
  place.sandbox.configure({ fault: () => (refusals++ === 0 ? { status: 403 } : undefined) })
  const runs = await Promise.all(started.map(({ ended }) => ended))
  for (const { exitCode, summary } of runs) {
    expect([exitCode, summary.stopped, summary.failed]).toEqual([3, 'api_refused', 0])
  }
  const heard = runs.filter(({ stderr }) =>
    stderr.includes('The API refused the key to another process that uses it (status 403)'),
  )
  expect(heard).toHaveLength(1)
  expect(heard[0]?.stderr).toContain('Check PLATE_API_KEY and the credits of the account.')

  await place.write('all.txt', Object.values(lists).flat().join('\n'))
  const after = await place.run(['--images', 'all.txt', '--delay', '0', '--json'])
  expect([after.exitCode, after.summary.images]).toEqual([0, 24])
  expect(place.sandbox.billedCount()).toBe(24)
})
