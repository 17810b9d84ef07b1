import { existsSync } from 'node:fs'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { DatabaseError, messageOf } from '../errors.ts'
import { requireNotPlanted } from '../planted.ts'
import { type Database, isDown, type Queryable } from './database.ts'
import { lockFolder } from './folder-lock.ts'
import { eachPage, type Page, READING, unlessAborted } from './pages.ts'

/** In a folder of PostgreSQL's whose database is still being made. */
const UNFINISHED = 'unfinished'

/**
 * Opens the embedded PostgreSQL in a folder, which is made when missing (mode 0700: plates are personal data). One
 * process at a time may hold it.
 * @param mayCreate when false, an empty one in memory stands in for a database that is not there
 * @throws {DatabaseError} `folder_locked`, `folder_unusable`
 */
export async function openEmbeddedDatabase(folder: string, mayCreate = true): Promise<Database> {
  const data = join(resolve(folder), 'pgdata')
  const name = `the embedded database in ${folder}`
  const isThere = () => existsSync(join(data, 'PG_VERSION')) && !existsSync(join(data, UNFINISHED))
  if (!mayCreate && !isThere()) {
    return toDatabase(undefined, { name, isNew: true, release: async () => {} })
  }
  await makeFolder(folder, data)
  const lock = await lockFolder(resolve(folder), folder).catch((thrown) => {
    throw thrown instanceof DatabaseError ? thrown : unusable(folder, thrown)
  })
  try {
    const isNew = !isThere()
    const pglite = isNew ? await makeDatabase(data) : await PGlite.create({ dataDir: data })
    return toDatabase(pglite, { name, isNew, release: lock.release })
  } catch (thrown) {
    await lock.release()
    throw unusable(folder, thrown)
  }
}

/**
 * PGlite copies a new database into its folder file by file: killed meanwhile, it leaves what looks like a database and
 * cannot be opened. Nothing was written to that one: it is made anew.
 */
async function makeDatabase(data: string): Promise<PGlite> {
  const mark = join(data, UNFINISHED)
  if (existsSync(mark)) {
    // First what tells a database: this may be cut off too.
    await rm(join(data, 'PG_VERSION'), { force: true })
    await rm(data, { recursive: true })
  }
  await mkdir(data, { recursive: true, mode: 0o700 })
  await writeFile(mark, '', { mode: 0o600, flag: 'wx' })
  const pglite = await PGlite.create({ dataDir: data })
  await rm(mark)
  return pglite
}

/** @param pglite undefined: one in memory, made when something is first asked, for it takes seconds */
function toDatabase(
  pglite: PGlite | undefined,
  { name, isNew, release }: { name: string; isNew: boolean; release: () => Promise<void> },
): Database {
  let opening = pglite && Promise.resolve(pglite)
  const opened = () => {
    opening ??= PGlite.create()
    return opening
  }
  return {
    name,
    isEmbedded: true,
    isNew,
    query: async (sql, values) => translated(rows(await opened(), sql, values)),
    transaction: async (work) => {
      const one = await opened()
      return translated(
        one.transaction((tx) => {
          const queryable: Queryable = { query: (sql, values) => rows(tx, sql, values) }
          return work(queryable)
        }),
      )
    },
    readPages: async (sql, values, use, signal) => {
      const one = await opened()
      await unlessAborted(signal, () =>
        translated(
          one.transaction(async (tx) => {
            await tx.exec(READING)
            await eachPage(
              (text, bound) => textRows(one, tx, text, bound),
              sql,
              values,
              use,
              signal,
            )
            // What got past READ ONLY all the same (EXPLAIN ANALYZE CREATE TABLE … AS) is not to stay.
            await tx.rollback()
          }),
        ),
      )
    },
    execute: async (script) => {
      const one = await opened()
      // There is one connection. In a transaction, which its own BEGIN and COMMIT only make PGlite remark upon, a script that
      // fails is rolled back before anything else has its turn.
      const run = one.transaction((tx) => tx.exec(script))
      return (await translated(run)).flatMap(({ rows }): object[] => rows)
    },
    async close() {
      await (await opening)?.close()
      await release()
    },
  }
}

async function makeFolder(folder: string, data: string): Promise<void> {
  try {
    // The folder is looked at with what is in it.
    await requireNotPlanted(data)
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (made !== undefined) await chmod(folder, 0o700)
  } catch (thrown) {
    throw unusable(folder, thrown)
  }
}

function unusable(folder: string, cause: unknown): DatabaseError {
  const message = `The embedded database cannot be kept in ${folder}: ${messageOf(cause)}.`
  return new DatabaseError('folder_unusable', message, { cause })
}

async function rows<Row extends object>(
  pglite: Pick<PGlite, 'query'>,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const result = await pglite.query<Row>(sql, [...values])
  return result.rows
}

/** Without reading any value. */
async function textRows(
  { parsers }: PGlite,
  tx: Pick<PGlite, 'query'>,
  sql: string,
  values: readonly unknown[],
): Promise<Page> {
  const asText = Object.fromEntries(
    Object.keys(parsers).map((id) => [id, (value: string) => value]),
  )
  const options = { rowMode: 'array' as const, parsers: asText }
  const { fields, rows } = await tx.query<(string | null)[]>(sql, [...values], options)
  return { columns: fields.map(({ name, dataTypeID }) => ({ name, typeId: dataTypeID })), rows }
}

async function translated<T>(result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) throw thrown
    const message = `The embedded database refused: ${messageOf(thrown)}.`
    const ours =
      code === '42P01' ? 'schema_missing' : isDown(code) ? 'database_down' : 'database_failed'
    throw new DatabaseError(ours, message, { cause: thrown })
  }
}
