import { hostname } from 'node:os'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createBoss, DEAD_LETTERS, QUEUE, WORKER } from '../../src/queue/boss.ts'
import { readQueueOverview } from '../../src/queue/overview.ts'
import { queueLines, queueRecord } from '../../src/queue-report.ts'
import { BOTH_DATABASES } from '../support/both-databases.ts'
import { openTestQueue, SCHEMA, type TestQueue } from '../support/queues.ts'

const NO_IMAGE = { code: 'not_an_image', message: 'a.txt is not an image.', hint: '' }
const MISSING = { code: 'file_not_found', message: 'b.jpg does not exist.', hint: '' }

describe.each(BOTH_DATABASES)('the queue of %s', (_name, open) => {
  let queue: TestQueue
  beforeAll(async () => {
    queue = await openTestQueue(await open())
  })
  afterAll(() => queue[Symbol.asyncDispose]())
  afterEach(() => queue.empty())
  const overview = () => readQueueOverview(queue.database, queue.boss, SCHEMA)

  test('with nothing in it says so, and tells no rate', async () => {
    const found = await overview()
    expect(found).toMatchObject({ waiting: 0, done: 0, failed: [], imagesPerSecond: 0 })
    expect(found.leftS).toBeUndefined()
    expect(queueLines('D', found, [])).toEqual(['Database: D', 'The queue is empty.'])
  })

  test('is counted: what waits, is at work, was done and failed, and why', async () => {
    const { boss, put, take, kill, database } = queue
    await kill('/a.txt', NO_IMAGE)
    await kill('/b.jpg', MISSING)
    await kill('/c.txt', NO_IMAGE)
    await put(['/1.jpg', '/2.jpg', '/3.jpg', '/4.jpg', '/5.jpg', '/6.jpg'])
    await boss.complete(QUEUE, await take(), { outcome: 'stored' })
    await boss.fail(QUEUE, await take(), MISSING)
    await take()
    const silent = await take()
    await database.query(
      `UPDATE ${SCHEMA}.job SET heartbeat_on = now() - interval '13 seconds' WHERE name = $1 AND id = $2`,
      [QUEUE, silent],
    )
    // The work began 8 s ago.
    await database.query(
      `UPDATE ${SCHEMA}.job SET started_on = now() - interval '8 seconds' WHERE completed_on IS NOT NULL`,
    )

    const found = await overview()
    expect(found).toMatchObject({
      ...{ waiting: 3, later: 1, atWork: 2, abandoned: 1, done: 1, workers: [] },
      failed: [
        { code: 'not_an_image', lines: 2, newest: expect.any(Date) },
        { code: 'file_not_found', lines: 1, newest: expect.any(Date) },
      ],
    })
    expect(found.next?.inS).toBeGreaterThan(0)
    // Four were done for good in the first 8 seconds or a little more: five take 10 at least.
    expect(found.imagesPerSecond).toBeGreaterThan(0)
    expect(found.imagesPerSecond).toBeLessThanOrEqual(0.5)
    expect(found.leftS).toBeGreaterThanOrEqual(5 / 0.5)

    const known = { ...found, imagesPerSecond: 0.5, leftS: 200, next: { at: new Date(0), inS: 7 } }
    const lines = queueLines('D', known, ['Pace: P']).map((line) =>
      line
        .replace(/\d{4}-\S+ \S+ \S+/, 'TIME')
        .replace(/─+/g, '─')
        .replace(/(\S) {2,}/g, '$1  '),
    )
    expect(lines).toEqual([
      'Database: D',
      '  3 waiting',
      '  1 of these to be tried again later, the next in 7 s',
      '  2 at work',
      '  1 of these left by workers that died: the next worker takes them',
      '  1 done in the last 24 hours; the queue forgets what was done before',
      '  3 failed for good',
      '0.50 images a second over the last minute',
      'No worker is running: start one with plate-snapshot work.',
      'Pace: P',
      '',
      'Failed for good:',
      'lines  reason  newest  what to do',
      '─  ─  ─  ─',
      '    2  not_an_image  TIME  Only JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC images are looked up.',
      '    1  file_not_found  TIME  Correct the path; a relative one starts at the working directory of the run.',
      'plate-snapshot queue failed lists them, plate-snapshot queue retry-failed puts them back.',
    ])
    expect(queueRecord('D', known, null)).toEqual({
      ...{ event: 'queue', database: 'D', waiting: 3, later: 1 },
      next_try_at: '1970-01-01T00:00:00.000Z',
      ...{ at_work: 2, abandoned: 1, done_24h: 1 },
      failed: { total: 3, by_code: { not_an_image: 2, file_not_found: 1 } },
      ...{ images_per_second: 0.5, seconds_left: 200, workers: [], pace: null },
    })
  })

  test('tells no rate of what was done longer ago, nor what was done more than a day ago', async () => {
    const { boss, put, take, database } = queue
    await put(['/1.jpg', '/2.jpg'])
    for (const since of ['61 seconds', '25 hours']) {
      const id = await take()
      await boss.complete(QUEUE, id)
      await database.query(
        `UPDATE ${SCHEMA}.job SET completed_on = now() - $2::interval WHERE name = $3 AND id = $1`,
        [id, since, QUEUE],
      )
    }
    expect(await overview()).toMatchObject({ done: 1, imagesPerSecond: 0, leftS: undefined })
  })

  test('knows a line that only killed workers, and one that a worker had no word for', async () => {
    const { boss, put, take, database } = queue
    await put(['/killer.jpg'], 1)
    const id = await take()
    await database.query(
      `UPDATE ${SCHEMA}.job SET heartbeat_on = now() - interval '1 hour' WHERE name = $1 AND id = $2`,
      [QUEUE, id],
    )
    await boss.supervise(QUEUE)
    await queue.kill('/bug.jpg', { message: 'x is undefined' })
    const { failed } = await overview()
    expect(failed).toMatchObject([
      { code: 'internal', lines: 1 },
      { code: 'worker_lost', lines: 1 },
    ])
  })

  test('names the workers that are alive; there is none beside one who reads an embedded database', async () => {
    const options = { registerInstance: true, instanceName: WORKER }
    const worker = await createBoss(queue.database, SCHEMA, options)
    const other = await createBoss(queue.database, SCHEMA, { ...options, instanceName: 'another' })
    await worker.start()
    await other.start()
    const { workers } = await overview()
    const self = { host: hostname(), processId: process.pid, startedAt: expect.any(Date) }
    expect(workers).toEqual(queue.database.isEmbedded ? [] : [self])
    await worker.stop()
    await other.stop()
    const after = await overview()
    expect(after.workers).toEqual([])
    const workersOf = (...hosts: string[]) => hosts.map((host) => ({ ...self, host }))
    const three = { ...after, imagesPerSecond: 7.5, leftS: 200, workers: workersOf('a', 'b', 'a') }
    expect(queueLines('D', three, [])).toEqual([
      'Database: D',
      'The queue is empty.',
      '7.5 images a second over the last minute, 3 min left at that rate',
      '3 workers (2 on a, 1 on b)',
    ])
    expect(queueLines('D', { ...after, workers: workersOf('a') }, [])).toContain('1 worker on a')
  })

  test('counts a line that pg-boss could not put back as no failed one', async () => {
    const { boss, kill, put } = queue
    await kill('/a.txt', NO_IMAGE)
    await put(['/a.txt'])
    await boss.redrive(DEAD_LETTERS)
    expect(await overview()).toMatchObject({ waiting: 1, failed: [] })
  })
})
