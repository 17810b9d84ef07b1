import { expect, test, vi } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { startHttpServer } from '../support/http-server.ts'
import { answersFor, pictureOf } from '../support/sample-pictures.ts'
import {
  createWorkplace,
  names,
  type Workplace,
  type WorkplaceOptions,
} from '../support/workplace.ts'

const PATIENCE = { timeout: 30_000 }
const AT_ONCE = ['--delay', '0', '--json']
const UNTIL_EMPTY = ['work', '--until-empty', ...AT_ONCE]

const PICTURES = names(30)
const answers = answersFor(
  Object.fromEntries(PICTURES.map((name, n) => [name, [[`abc${n}`, 0.5 + n / 100]]])),
)

/** A workplace whose queue is there. */
async function createQueuePlace(options: WorkplaceOptions = {}): Promise<Workplace> {
  const place = await createWorkplace({ sandbox: { answers }, ...options })
  if (options.database !== 'embedded') {
    expect((await place.run(['migrate'])).exitCode).toBe(0)
  }
  return place
}

/** Puts lines into the queue. @returns how many were read, new, and waiting already */
async function put(place: Workplace, lines: readonly string[], flags: readonly string[] = []) {
  const input = lines.map((line) => `${line}\n`).join('')
  const args = ['enqueue', '--images', '-', '--json', ...flags]
  const { exitCode, stderr, records } = await place.run(args, { input })
  expect(exitCode, stderr).toBe(0)
  return records[0]
}

interface Job {
  queue: string
  state: string
  image: string
  tries: number
  code: string | null
}

function jobs(place: Workplace): Promise<Job[]> {
  return place.query<Job>(`SELECT name AS queue, state::text, data->>'image' AS image, retry_count AS tries,
    coalesce(source_output, output)->>'code' AS code FROM pgboss.job ORDER BY created_on, id`)
}

async function states(place: Workplace): Promise<Record<string, number>> {
  const counts = Map.groupBy(await jobs(place), ({ queue, state }) =>
    queue === 'plate-snapshot' ? state : `dead ${state}`,
  )
  return Object.fromEntries([...counts].map(([state, found]) => [state, found.length]))
}

/** Failed jobs come back at once. */
async function withoutBackoff({ query }: Workplace): Promise<void> {
  await query('UPDATE pgboss.queue SET retry_delay = 0, retry_backoff = false')
}

function platesOf({ images }: CliResult) {
  return images.flatMap(({ plates = [] }) => plates.map(({ plate_text }) => plate_text)).sort()
}

test.each<[where: string, options: WorkplaceOptions]>([
  ['a server with S3', { storage: 's3' }],
  ['the embedded database', { database: 'embedded' }],
])('on %s, the lines that were put are taken through by whoever works', async (_where, options) => {
  await using place = await createQueuePlace(options)
  const lines = await place.draw(...PICTURES.slice(0, 6))
  expect(await put(place, ['# a comment', '', ...lines])).toEqual({
    ...{ event: 'enqueued', lines: 6, new: 6, waiting: 0, failed: 0, stopped: null },
  })
  expect(await put(place, [...lines, 'picture 1.jpg'])).toMatchObject({ new: 0, waiting: 7 })
  expect(place.sandbox.lookups).toEqual([])

  const done = await place.run(UNTIL_EMPTY)
  expect(done.exitCode, done.stderr).toBe(0)
  expect(done.summary).toMatchObject({ images: 6, stored: 6, rows: 6, lookups: 6, stopped: null })
  expect(platesOf(done)).toEqual(['abc0', 'abc1', 'abc2', 'abc3', 'abc4', 'abc5'])
  expect(done.images.map(({ source }) => source).sort()).toEqual(
    lines.map((line) => `${place.folder}/${line}`),
  )
  expect(await states(place)).toEqual({ completed: 6 })

  // What is done may be put again: it is known, and costs nothing.
  expect(await put(place, lines)).toMatchObject({ new: 6, waiting: 0 })
  const again = await place.run(UNTIL_EMPTY)
  expect(again.summary).toMatchObject({ images: 6, duplicate: 6, lookups: 0 })
  expect(place.sandbox.lookups).toHaveLength(6)
})

test('regions, camera, mmc, engine configuration, threshold and meta travel with each line', async () => {
  await using place = await createQueuePlace()
  const [first = '', second = '', third = ''] = await place.draw(...PICTURES.slice(0, 3))
  await put(
    place,
    [first],
    [
      ...[
        '--regions',
        'it,gb',
        '--camera-id',
        'gate',
        '--mmc',
        '--engine-config',
        '{"mode":"fast"}',
      ],
      ...['--meta', '{"lane":7,"source":"mine"}'],
    ],
  )
  await put(place, [second], ['--confidence-threshold', '0.52'])
  await put(place, [third], ['--confidence-threshold', '0.52', '--regions', 'mx'])

  const done = await place.run(UNTIL_EMPTY)
  expect(done.summary, done.stderr).toMatchObject({ images: 3, stored: 2, below_threshold: 1 })
  const asked = place.sandbox.lookups.map(({ fields }) => fields)
  expect(asked).toHaveLength(3)
  expect(asked).toContainEqual({
    ...{ regions: ['it', 'gb'], camera_id: ['gate'], mmc: ['true'], config: ['{"mode":"fast"}'] },
  })
  expect(asked).toContainEqual({})
  expect(asked).toContainEqual({ regions: ['mx'] })
  const rows = await place.query(
    "SELECT plate_text, camera_id, meta->'lane' AS lane, meta->>'source' AS source FROM vehicle_snapshots ORDER BY 1",
  )
  expect(rows).toEqual([
    { plate_text: 'abc0', camera_id: 'gate', lane: 7, source: `${place.folder}/${first}` },
    { plate_text: 'abc2', camera_id: null, lane: null, source: `${place.folder}/${third}` },
  ])
  // Rows that are made later are told the same.
  await place.query('DELETE FROM vehicle_snapshots')
  await place.run(['reprocess'])
  expect(
    await place.query("SELECT meta->'lane' AS lane FROM vehicle_snapshots ORDER BY 1"),
  ).toEqual([{ lane: 7 }, { lane: null }, { lane: null }])
})

test('an image in many jobs is billed once, whoever has them', async () => {
  await using place = await createQueuePlace({ sandbox: { answers, latencyMs: 50 } })
  const copies = names(40, 'copies/copy')
  const bytes = pictureOf('picture 1.jpg')
  await Promise.all(copies.map((name) => place.write(name, bytes)))
  await put(place, copies)
  const workers = await Promise.all([1, 2, 3].map(() => place.start(UNTIL_EMPTY)))
  const ends = await Promise.all(workers.map(({ ended }) => ended))
  expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
  const sum = (of: 'images' | 'stored' | 'duplicate') =>
    ends.reduce((total, { summary }) => total + summary[of], 0)
  expect([sum('images'), sum('stored'), sum('duplicate')]).toEqual([40, 1, 39])
  expect(place.sandbox.billedCount()).toBe(1)
})

test("a failure that may pass is tried again, and dead-lettered in the end; the image's own fault is so at once", async () => {
  await using place = await createQueuePlace({
    sandbox: { answers, fault: ({ index }) => (index === 0 ? { status: 503 } : undefined) },
  })
  await withoutBackoff(place)
  await place.query('UPDATE pgboss.queue SET retry_limit = 2')
  const [picture = ''] = await place.draw('picture 1.jpg')
  await place.write('text.jpg', 'no picture')
  await put(place, [picture, 'text.jpg', 'missing.jpg'])

  const done = await place.run([...UNTIL_EMPTY, '--retries', '0'])
  expect(done.exitCode).toBe(1)
  expect(done.summary).toMatchObject({ images: 3, stored: 1, failed: 2, returned: 3, lookups: 2 })
  const told = done.images.map(({ outcome, error }) => [outcome, error?.code])
  expect(told.sort()).toEqual([
    ['failed', 'file_not_found'],
    ['failed', 'not_an_image'],
    ['returned', 'api_error'],
    ['returned', 'file_not_found'],
    ['returned', 'file_not_found'],
    ['stored', undefined],
  ])
  expect(done.stderr).toContain('It goes back into the queue, to be tried again.')
  const dead = (await jobs(place)).filter(({ queue }) => queue === 'plate-snapshot-failed')
  expect(dead.map(({ image, code, state }) => [image, code, state]).sort()).toEqual([
    [`${place.folder}/missing.jpg`, 'file_not_found', 'created'],
    [`${place.folder}/text.jpg`, 'not_an_image', 'created'],
  ])
})

test('a lost answer, which may have been billed, is not asked for again by itself', async () => {
  await using place = await createQueuePlace({
    sandbox: { answers, fault: () => 'reset-after-billing' },
  })
  await put(place, await place.draw('picture 1.jpg'))
  const done = await place.run([...UNTIL_EMPTY, '--lost-answer', 'fail'])
  expect(done.summary).toMatchObject({
    images: 1,
    failed: 1,
    returned: 0,
    attempts: 1,
    uncertain: 1,
  })
  expect(await states(place)).toEqual({ failed: 1, 'dead created': 1 })
})

test('SIGTERM finishes what was asked, and gives the rest back as if nobody had had it', async () => {
  await using place = await createQueuePlace({ sandbox: { answers, latencyMs: 400 } })
  await put(place, await place.draw(...PICTURES))
  const worker = await place.start(['work', '--json', '--delay', '0.2'])
  await vi.waitFor(() => expect(place.sandbox.lookups.length).toBeGreaterThan(2), PATIENCE)
  worker.kill('SIGTERM')
  const end = await worker.ended
  expect(end.exitCode).toBe(143)
  expect(end.stderr).toContain('went back into the queue')
  const { images, stored } = end.summary
  expect(images).toBe(stored)
  expect(place.sandbox.lookups).toHaveLength(stored)
  expect(await states(place)).toEqual({ completed: stored, created: 30 - stored })
  expect((await jobs(place)).map(({ tries }) => tries)).toEqual(Array(30).fill(0))

  const rest = await place.run(UNTIL_EMPTY)
  expect(rest.summary).toMatchObject({ images: 30 - stored, stored: 30 - stored })
  expect(place.sandbox.billedCount()).toBe(30)
})

test('a refused key stops the worker and leaves all jobs waiting', async () => {
  await using place = await createQueuePlace({ sandbox: { answers, token: 'another' } })
  await put(place, await place.draw(...PICTURES))
  const end = await place.run(UNTIL_EMPTY)
  expect(end.exitCode).toBe(3)
  expect(end.summary).toMatchObject({ images: 0, stopped: 'api_refused' })
  expect(await states(place)).toEqual({ created: 30 })
  expect((await jobs(place)).every(({ tries }) => tries === 0)).toBe(true)
})

test('what a link was signed with is nowhere once its job is done', async () => {
  await using place = await createQueuePlace()
  const bytes = pictureOf('picture 1.jpg')
  await using server = await startHttpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'image/jpeg' }).end(bytes)
  })
  const link = (name: string) => `${server.url}/${name}?X-Amz-Signature=s3cr3tsignature`
  await put(place, [link('a.jpg'), link('b.jpg')])
  expect(JSON.stringify(await place.query('SELECT data FROM pgboss.job'))).toContain('s3cr3t')
  const done = await place.run(UNTIL_EMPTY)
  expect(done.summary, done.stderr).toMatchObject({ images: 2, failed: 0 })
  const kept = JSON.stringify(await place.query('SELECT j::text FROM pgboss.job j'))
  expect(kept).toContain(`${server.url}/a.jpg`)
  expect(kept).not.toContain('s3cr3t')
})

test('without its queue, enqueue and work say what to run', async () => {
  await using place = await createWorkplace({ sandbox: { answers } })
  for (const args of [['enqueue', '--images', '-'], ['work']]) {
    const { exitCode, stderr } = await place.run(args)
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/has no queue yet\. \[schema_missing\]\nRun: plate-snapshot migrate/)
  }
  const wrong = await place.run(['enqueue', '--meta', '7', '--mmc'])
  expect(wrong.exitCode).toBe(2)
  expect(wrong.stderr).toMatch(/--images is required.*--meta must be a JSON object/s)
})
