import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { createBoss, DEAD_LETTERS, QUEUE } from '../../src/queue/boss.ts'
import { installQueue, openQueue } from '../../src/queue/install.ts'
import { BOTH_DATABASES, type OpenedDatabase, openOnServer } from '../support/both-databases.ts'
import { isSomebodyWaiting } from '../support/waiting-for-locks.ts'

const unheard = () => {}

describe.each(BOTH_DATABASES)('the queue on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  test('is made once, and stays as an operator has changed it', async () => {
    expect(await installQueue(database, 'mine')).toBe('made')
    const boss = await openQueue(database, 'mine', unheard)
    const queues = await boss.getQueues([QUEUE, DEAD_LETTERS])
    expect(
      queues
        .map(({ name, policy, deadLetter, heartbeatSeconds }) => [
          ...[name, policy, deadLetter, heartbeatSeconds],
        ])
        .sort(),
    ).toEqual([
      [QUEUE, 'exclusive', DEAD_LETTERS, 12],
      [DEAD_LETTERS, 'standard', null, null],
    ])
    await boss.updateQueue(QUEUE, { retryLimit: 9 })
    await boss.stop()
    expect(await installQueue(database, 'mine')).toBe('there')
    const again = await openQueue(database, 'mine', unheard)
    expect((await again.getQueue(QUEUE))?.retryLimit).toBe(9)
    expect((await again.detectSchemaDrift()).ok).toBe(true)
    await again.stop()
  })

  test('is not made in a schema that another program keeps its queues in with another version', async () => {
    const theirs = await createBoss(database, 'shared', { migrate: true })
    await theirs.start()
    await theirs.createQueue('mail')
    await theirs.stop()
    // Of the same version, both get along.
    expect(await installQueue(database, 'shared')).toBe('there')
    await database.query('UPDATE shared.version SET version = version - 1')
    await expect(installQueue(database, 'shared')).rejects.toMatchObject({
      code: 'schema_old',
      message: expect.stringContaining('a queue of another program (mail)'),
      hint: expect.stringContaining('PGBOSS_SCHEMA'),
    })
  })
})

test('the queue is made also when another makes its schema at the same moment', async () => {
  await using opened = await openOnServer()
  const watching = opened.openAnother()
  let installing: ReturnType<typeof installQueue> | undefined
  await opened.database.transaction(async ({ query }) => {
    await query('CREATE SCHEMA pgboss')
    installing = installQueue(opened.openAnother(), 'pgboss')
    while (!(await isSomebodyWaiting(watching)));
  })
  expect(await installing).toBe('made')
})
