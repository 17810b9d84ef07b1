import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { clear } from '../../src/commands/queue-clear.ts'
import { listFailed } from '../../src/commands/queue-failed.ts'
import { retryFailed } from '../../src/commands/queue-retry-failed.ts'
import { DEAD_LETTERS, QUEUE } from '../../src/queue/boss.ts'
import { readQueueOptions } from '../../src/queue-options.ts'
import { BOTH_DATABASES } from '../support/both-databases.ts'
import { listeningShell, openTestQueue, SCHEMA, type TestQueue } from '../support/queues.ts'

const NO_IMAGE = { code: 'not_an_image', message: 'It is no image.', hint: '' }
const MISSING = { code: 'file_not_found', message: 'It does not exist.', hint: '' }
const LINK = 'http://user:secret1@host/a.jpg?X-Amz-Signature=secret2&X-Amz-Date=1'
const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z| [+-]\d\d:\d\d)/g

function optionsOf(given: Record<string, unknown>) {
  const { options, problems } = readQueueOptions(given)
  if (options === undefined) throw new Error(JSON.stringify(problems))
  return options
}

describe.each(BOTH_DATABASES)('lines that failed for good on %s', (_name, open) => {
  let queue: TestQueue
  beforeAll(async () => {
    queue = await openTestQueue(await open())
  })
  afterAll(() => queue[Symbol.asyncDispose]())
  afterEach(() => queue.empty())

  async function listed(flags: Record<string, unknown> = {}) {
    const shell = listeningShell()
    const options = optionsOf({ what: ['failed'], ...flags })
    expect(await listFailed(queue.database, SCHEMA, options, shell)).toBe(0)
    return [...shell.told, ...shell.said].map((line) => line.replace(TIME, 'TIME'))
  }

  async function retried(flags: Record<string, unknown> = {}, signal?: 'SIGINT') {
    const shell = listeningShell(signal)
    const { database, boss } = queue
    const options = optionsOf({ what: ['retry-failed'], ...flags })
    const exitCode = await retryFailed(database, boss, SCHEMA, options, shell)
    return { exitCode, told: [...shell.told, ...shell.said] }
  }

  async function cleared(flags: Record<string, unknown>) {
    const shell = listeningShell()
    const options = optionsOf({ what: ['clear'], ...flags })
    expect(await clear(queue.database, queue.boss, SCHEMA, options, shell)).toBe(0)
    return shell.told
  }

  /** The images of all jobs of a queue. */
  async function images(name: string, states = ['created', 'retry']) {
    const found = await queue.database.query<{ image: string; state: string }>(
      `SELECT data->>'image' AS image FROM ${SCHEMA}.job
       WHERE name = $1 AND state::text = ANY ($2::text[]) ORDER BY image`,
      [name, states],
    )
    return found.map(({ image }) => image)
  }

  /** Jobs as another program puts them, with no more than they need. */
  async function killForeign(image: string, singletonKey?: string) {
    const key = singletonKey === undefined ? {} : { singletonKey }
    await queue.boss.insert(QUEUE, [{ data: { image }, retryLimit: 0, ...key }])
    await queue.boss.fail(QUEUE, await queue.take(), NO_IMAGE)
  }

  test('are listed, the oldest first, without secrets, and with what a terminal would obey shown', async () => {
    await queue.kill('/b\u001b[2J.txt', NO_IMAGE)
    await queue.kill(LINK, MISSING)
    await killForeign(LINK.replace('a.jpg', 'c.jpg'))
    const table = (await listed()).map((line) => line.replace(/(─|\s)+/g, ' ').trim())
    expect(table).toEqual([
      'source reason tries failed message',
      '',
      '/b\\x1b[2J.txt not_an_image 1 TIME It is no image.',
      'http://host/a.jpg file_not_found 1 TIME It does not exist.',
      'http://host/c.jpg not_an_image 1 TIME It is no image.',
      '3 lines. plate-snapshot queue retry-failed puts back what failed.',
    ])
    expect(await listed({ csv: true, reason: ['file_not_found,nothing'] })).toEqual([
      'source,code,message,tries,failed_at',
      'http://host/a.jpg,file_not_found,It does not exist.,1,TIME',
    ])
    const [first, ...others] = await listed({ json: true, limit: 1 })
    expect(others).toEqual([])
    expect(JSON.parse(first ?? '')).toEqual({
      ...{ source: '/b\u001b[2J.txt', code: 'not_an_image', message: 'It is no image.' },
      ...{ tries: 1, failed_at: 'TIME' },
    })
    expect((await listed({ limit: 2 })).at(-1)).toMatch(/^The first 2 lines; --limit shows more/)
    expect((await listed({ reason: ['no_such'] })).at(-1)).toBe('No line failed for that reason.')
  })

  test('go back into the queue, all or those of a reason, with fresh tries and their secrets', async () => {
    await queue.kill('/a.txt', NO_IMAGE)
    await queue.kill(LINK, MISSING)
    expect(await retried({ reason: ['file_not_found'] })).toEqual({
      exitCode: 0,
      told: ['1 line back in the queue, with fresh tries.'],
    })
    expect(await images(QUEUE)).toEqual([LINK])
    expect(await images(DEAD_LETTERS)).toEqual(['/a.txt'])
    const [job] = await queue.boss.fetch(QUEUE, { includeMetadata: true })
    expect(job).toMatchObject({ retryCount: 0, retryLimit: 5, data: { image: LINK } })
    expect(await retried({ json: true })).toEqual({
      exitCode: 0,
      told: ['{"event":"retried","retried":1,"waiting":0,"stopped":null}'],
    })
    expect(await retried()).toEqual({ exitCode: 0, told: ['No line failed for good.'] })
  })

  test('are only forgotten when they wait already, their links with them', async () => {
    await queue.kill(LINK, MISSING)
    await queue.put([LINK])
    expect((await retried()).told).toEqual([
      '0 lines back in the queue, with fresh tries.',
      '1 line was not put back, since it waits in the queue already.',
    ])
    const all = ['created', 'retry', 'active', 'completed', 'cancelled', 'failed']
    expect(await images(DEAD_LETTERS, all)).toEqual([])
    expect(await images(QUEUE)).toEqual([LINK])
  })

  test('all go back when other programs gave them no key', async () => {
    await killForeign('/x.txt')
    await killForeign('/y.txt')
    await killForeign('/z.txt', 'z')
    expect((await retried()).told).toEqual(['3 lines back in the queue, with fresh tries.'])
    expect(await images(QUEUE)).toEqual(['/x.txt', '/y.txt', '/z.txt'])
  })

  test('go back in batches, each whole: an interruption between two is told', async () => {
    await queue.database.query(
      `INSERT INTO ${SCHEMA}.job (name, data, singleton_key, source_name, source_output)
       SELECT $1, jsonb_build_object('image', '/' || n), 'key ' || n, $2, '{"code": "http_error"}'
       FROM generate_series(1, 1001) n`,
      [DEAD_LETTERS, QUEUE],
    )
    const interrupted = await retried({ json: true }, 'SIGINT')
    expect(interrupted.exitCode).toBe(130)
    expect(interrupted.told).toEqual([
      '{"event":"retried","retried":1000,"waiting":0,"stopped":"interrupted"}',
      'The run was interrupted.',
      'What is back in the queue stays there; run the same command again for the rest.',
    ])
    expect(await images(DEAD_LETTERS)).toHaveLength(1)
    expect((await retried()).told).toEqual(['1 line back in the queue, with fresh tries.'])
  })

  test('are cleared apart from what waits, and what is at work is never touched', async () => {
    await queue.kill('/a.txt', NO_IMAGE)
    await queue.put(['/1.jpg', '/2.jpg', '/3.jpg'])
    const atWork = await queue.take()
    const untouched = '1 line at work: not touched.'
    expect(await cleared({})).toEqual([
      'This would delete 2 waiting lines.',
      untouched,
      'Nothing was changed. Run it again with --yes to delete.',
    ])
    expect(await images(QUEUE)).toHaveLength(2)
    expect(await cleared({ yes: true })).toEqual(['Deleted 2 waiting lines.', untouched])
    expect(await images(QUEUE)).toEqual([])
    expect(await cleared({})).toEqual(['Nothing is to be deleted.', untouched])
    expect(await cleared({ failed: true, json: true })).toEqual([
      '{"event":"cleared","what":"failed","lines":1,"at_work":0,"dry_run":true}',
    ])
    expect(await cleared({ failed: true, yes: true })).toEqual(['Deleted 1 failed line.'])
    expect(await images(DEAD_LETTERS)).toEqual([])
    await queue.boss.complete(QUEUE, atWork)
    expect(await images(QUEUE, ['completed'])).toEqual(['/1.jpg'])
  })
})
