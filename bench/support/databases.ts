import { readFile } from 'node:fs/promises'
import { Client, Pool } from 'pg'

/** A database of its own with the tool's tables, dropped when disposed of. */
export interface BenchDatabase extends AsyncDisposable {
  url: string
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>
}

const TEMPLATE = 'bench_template'

/** Makes databases as `plate-snapshot migrate` leaves them, each a copy of one that was migrated once. */
export async function migratedDatabases(serverUrl: string): Promise<() => Promise<BenchDatabase>> {
  const urlOf = (name: string) => Object.assign(new URL(serverUrl), { pathname: name }).href
  await execute(serverUrl, `CREATE DATABASE ${TEMPLATE}`)
  const schema = new URL('../../db_schema.sql', import.meta.url)
  await execute(urlOf(TEMPLATE), await readFile(schema, 'utf8'))
  let created = 0
  // Two copies at once are refused: the template is then in use.
  let turn: Promise<unknown> = Promise.resolve()
  return async () => {
    created += 1
    const name = `bench_${created}`
    const copied = turn.then(() =>
      execute(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`),
    )
    turn = copied.catch(() => {})
    await copied
    const url = urlOf(name)
    const pool = new Pool({ connectionString: url, max: 3 })
    pool.on('error', () => {})
    return {
      url,
      query: async (sql, values) => (await pool.query(sql, values)).rows,
      async [Symbol.asyncDispose]() {
        await pool.end()
        await execute(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)
      },
    }
  }
}

async function execute(url: string, script: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(script)
  } finally {
    await client.end()
  }
}
