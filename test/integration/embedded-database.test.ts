import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { openEmbeddedDatabase } from '../../src/db/embedded.ts'
import { DatabaseError } from '../../src/errors.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'

describe('the embedded database', () => {
  let parent: string
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'plate-snapshot-embedded-'))
  })
  afterAll(() => rm(parent, { recursive: true }))

  test('keeps what was written from one opening to the next, in a folder of its user alone', async () => {
    const folder = join(parent, 'new', 'data')
    const first = await openEmbeddedDatabase(folder)
    expect(first).toMatchObject({ isEmbedded: true, isNew: true })
    expect(first.name).toBe(`the embedded database in ${folder}`)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    await first.execute('CREATE TABLE kept (plate text); INSERT INTO kept VALUES ($$nhk552$$)')
    await first.close()
    expect(await readdir(folder)).toEqual(['pgdata'])

    const second = await openEmbeddedDatabase(folder)
    expect(second.isNew).toBe(false)
    expect(await second.query('SELECT plate FROM kept')).toEqual([{ plate: 'nhk552' }])
    await second.close()
  })
})

describe.each(BOTH_DATABASES)('a database, %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
    await database.execute('CREATE TABLE notes (note text PRIMARY KEY)')
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  const notes = async () => {
    const rows = await database.query<{ note: string }>('SELECT note FROM notes ORDER BY note')
    return rows.map(({ note }) => note)
  }
  const insert = 'INSERT INTO notes VALUES ($1)'

  test('writes a transaction whole or not at all, and works on after a failed one', async () => {
    await database.transaction(async (inside) => {
      await inside.query(insert, ['kept'])
    })
    const reason = new Error('no more')
    const failing = database.transaction(async (inside) => {
      await inside.query(insert, ['lost'])
      throw reason
    })
    await expect(failing).rejects.toBe(reason)
    expect(await notes()).toEqual(['kept'])
  })

  test('works on after a transaction in which a statement failed', async () => {
    const failing = database.transaction(async (inside) => {
      await inside.query(insert, ['lost too'])
      await inside.query('SELECT 1/0')
    })
    await expect(failing).rejects.toMatchObject({ code: 'database_failed' })
    await database.query(insert, ['after'])
    expect(await notes()).toEqual(['after', 'kept'])
  })

  test('works on after a script that failed half way, of which nothing stays', async () => {
    const script = `BEGIN; INSERT INTO notes VALUES ('script'); SELECT 1/0; COMMIT;`
    await expect(database.execute(script)).rejects.toBeInstanceOf(DatabaseError)
    expect(await notes()).toEqual(['after', 'kept'])
  })

  test('keeps transactions at the same time apart', async () => {
    const add = (note: string) =>
      database.transaction(async (inside) => {
        await inside.query(insert, [note])
        const rows = await inside.query('SELECT 1 FROM notes WHERE note = $1', [note])
        if (note.endsWith('bad')) throw new Error(note)
        return rows.length
      })
    const all = await Promise.allSettled(['t1', 't2 bad', 't3', 't4 bad'].map(add))
    expect(all.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
    ])
    expect(await notes()).toEqual(['after', 'kept', 't1', 't3'])
  })

  test('takes and gives bytes, numbers, nulls and text as they are', async () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 256 }, (_, n) => n))
    const sql =
      'SELECT $1::bytea AS bytes, $2::float8 AS number, $3::text AS nothing, $4::text AS text'
    const rows = await database.query<{ bytes: Uint8Array }>(sql, [
      bytes,
      0.5,
      undefined,
      'Größe 車',
    ])
    expect(rows).toEqual([
      expect.objectContaining({ number: 0.5, nothing: null, text: 'Größe 車' }),
    ])
    expect(Buffer.from(rows[0]?.bytes ?? [])).toEqual(bytes)
  })

  test('says which table is missing, as a schema that is', async () => {
    await expect(database.query('SELECT 1 FROM no_such_table')).rejects.toMatchObject({
      code: 'schema_missing',
      scope: 'run',
    })
  })
})
