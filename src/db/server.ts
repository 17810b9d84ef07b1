import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { certificateHint } from '../certificates.ts'
import { DatabaseError, IngestError, messageOf, systemCodeOf } from '../errors.ts'
import { type Database, isDown, type Queryable } from './database.ts'
import { eachPage, type Page, READING, unlessAborted } from './pages.ts'

/** Longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 5_000
/** A listener: an error event without one takes the process down; the failed query or the next one tells of it. */
const hearOf = () => {}

/**
 * Opens a PostgreSQL server's database by its URL. Connects when first asked.
 * @param queryTimeoutMs longest wait for one statement: without it, a connection that died in silence is waited for until
 * the system gives it up
 */
export function openServerDatabase(
  url: string,
  connections: number,
  queryTimeoutMs?: number,
): Database {
  const pool = new pg.Pool({
    connectionString: verifiedUrl(url),
    max: connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    query_timeout: queryTimeoutMs,
    application_name: 'plate-snapshot',
  })
  pool.on('error', hearOf)
  // The pool listens to idle connections only, and a connection may fail in the very turn it is given out.
  pool.on('connect', (client) => void client.on('error', hearOf))

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined
    try {
      client = await pool.connect()
      const result = await work(client)
      client.release()
      return result
    } catch (thrown) {
      // A connection that failed may be half way through something: never back into the pool.
      client?.release(true)
      throw databaseError(thrown, nameOf(url))
    }
  }

  return {
    name: nameOf(url),
    isEmbedded: false,
    isNew: false,
    query: (sql, values) => withClient((client) => rows(client, sql, values)),
    transaction: (work) =>
      withClient(async (client) => {
        await client.query('BEGIN')
        const queryable: Queryable = { query: (sql, values) => rows(client, sql, values) }
        const result = await work(queryable)
        await client.query('COMMIT')
        return result
      }),
    readPages: (sql, values, use, signal) =>
      withClient((client) =>
        unlessAborted(signal, async () => {
          await client.query(`BEGIN; ${READING}`)
          // Asked within the transaction: behind a pooler the process is ours only as long as that lasts.
          const [backend] = await rows<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid')
          const cancel = () =>
            void pool.query('SELECT pg_cancel_backend($1)', [backend?.pid]).catch(hearOf)
          signal.addEventListener('abort', cancel, { once: true })
          try {
            await eachPage((text, bound) => textRows(client, text, bound), sql, values, use, signal)
            await client.query('ROLLBACK')
          } finally {
            signal.removeEventListener('abort', cancel)
          }
        }),
      ),
    execute: (script) => withClient((client) => rowsOfAll(client, script)),
    // A connection that died in silence would be waited for.
    close: () => Promise.race([pool.end(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]),
  }
}

async function rows<Row extends object>(
  client: pg.PoolClient,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const result = await client.query<Row>(sql, [...values])
  return result.rows
}

/** The driver gives one result for one statement, and a list for several. */
async function rowsOfAll(client: pg.PoolClient, script: string): Promise<object[]> {
  const result: pg.QueryResult | pg.QueryResult[] = await client.query(script)
  return [result].flat().flatMap(({ rows }): object[] => rows)
}

/** By the extended protocol, which takes one statement, and without reading any value. */
async function textRows(
  client: pg.PoolClient,
  text: string,
  values: readonly unknown[],
): Promise<Page> {
  const asText = { getTypeParser: () => (value: string) => value }
  const query = {
    text,
    values: [...values],
    rowMode: 'array' as const,
    types: asText,
    queryMode: 'extended',
  }
  const { fields, rows } = await client.query<(string | null)[]>(query)
  return { columns: fields.map(({ name, dataTypeID }) => ({ name, typeId: dataTypeID })), rows }
}

/**
 * The driver treats `require` and the like as `verify-full` and warns that this will change: say outright what is
 * meant. The certificate is verified in full.
 */
function verifiedUrl(url: string): string {
  const parsed = new URL(url)
  const mode = parsed.searchParams.get('sslmode')
  if (mode === 'require' || mode === 'prefer' || mode === 'verify-ca') {
    parsed.searchParams.set('sslmode', 'verify-full')
  }
  // libpq's word for the authorities that the machine knows, which is what the driver uses anyway.
  if (parsed.searchParams.get('sslrootcert') === 'system') parsed.searchParams.delete('sslrootcert')
  return parsed.href
}

/** `PostgreSQL "plates" on db.example.com:5433`: no user, no password. */
function nameOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url)
  const database = decodeURIComponent(pathname.slice(1)) || 'the default database'
  const host = hostname || searchParams.get('host') || 'this machine'
  return `PostgreSQL "${database}" on ${host}${port === '' || port === '5432' ? '' : `:${port}`}`
}

/** Refused at the door: password, role, database. */
const REFUSED = /^(28|3D000)/
const MAY_NOT = '42501'

/** A driver's error in the tool's own terms; anything else is passed on as it is. */
function databaseError(thrown: unknown, name: string): unknown {
  if (!(thrown instanceof Error) || thrown instanceof IngestError) return thrown
  const state = thrown instanceof pg.DatabaseError ? thrown.code : undefined
  const said = messageOf(thrown)
  if (state === '42P01' || state === '42703') {
    return new DatabaseError('schema_missing', `${name} has not this version's tables: ${said}.`, {
      cause: thrown,
    })
  }
  if (state !== undefined && (state === MAY_NOT || REFUSED.test(state))) {
    const hint =
      state === MAY_NOT
        ? 'The role in DATABASE_URL may not do this: use another, or grant it what docs/database.md lists. migrate takes the owner of the tables.'
        : 'Check user, password and database in DATABASE_URL.'
    return new DatabaseError('database_down', `${name} refuses: ${said}.`, { cause: thrown, hint })
  }
  if (state !== undefined && !isDown(state)) {
    return new DatabaseError('database_failed', `${name} refused: ${said}.`, { cause: thrown })
  }
  if (state === undefined && !isConnectionTrouble(thrown)) return thrown
  const hint = tlsHint(thrown, said)
  return new DatabaseError('database_down', `${name} cannot be reached: ${said}.`, {
    cause: thrown,
    hint,
    isTransient: hint === undefined,
  })
}

function isConnectionTrouble(error: Error): boolean {
  const code = systemCodeOf(error)
  if (code !== undefined) return /^E[A-Z]+$|CERT|TLS|SSL/.test(code)
  return /connection|timeout|terminated|SSL/i.test(error.message)
}

function tlsHint(thrown: Error, said: string): string | undefined {
  if (/does not support SSL/.test(said)) {
    return 'The server has no TLS: leave sslmode out of DATABASE_URL if the network between is yours.'
  }
  return certificateHint(thrown, 'sslmode=verify-full&sslrootcert=<file> in DATABASE_URL')
}
