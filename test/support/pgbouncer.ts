import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { freePort } from './free-port.ts'
import { type Stoppable, startInOwnProcess } from './own-process.ts'
import { type Program, pathOf, startProgram } from './programs.ts'
import { folderOf, ordinaryUser } from './run-as.ts'

/** PgBouncer in transaction mode, as hosted databases offer it. */
export type PgBouncer = AsyncDisposable & {
  /** Connections that it makes to one database. */
  poolSize: number
  /** Leads through it to the database of this URL, which is on the server behind it. */
  through(databaseUrl: string): string
  /** What it says about that database just now. */
  connections(databaseUrl: string): Promise<Connections>
}

/** `held`: in the middle of a statement or transaction of ours. `waiting`: clients without one. */
type Connections = { open: number; held: number; waiting: number }

const POOL_SIZE = 4

/** Undefined where it is not installed. */
export async function startPgBouncer(serverUrl: string): Promise<PgBouncer | undefined> {
  const program = pathOf('pgbouncer')
  if (program === undefined) return undefined

  const module = new URL('./pgbouncer.ts', import.meta.url)
  const options: Options = { program, serverUrl }
  const { port, [Symbol.asyncDispose]: stop } = await startInOwnProcess<
    Stoppable & { port: number }
  >(module, 'startPgBouncerHere', options)
  return {
    poolSize: POOL_SIZE,
    through: (databaseUrl) => at(port, databaseUrl),
    async connections(databaseUrl) {
      const name = new URL(databaseUrl).pathname.slice(1)
      const pools = await poolsOf(at(port, serverUrl, 'pgbouncer'))
      const pool = pools.find(({ database }) => database === name)
      const sum = (...columns: string[]) =>
        columns.reduce((total, column) => total + Number(pool?.[column] ?? 0), 0)
      return {
        open: sum('sv_active', 'sv_idle', 'sv_used', 'sv_tested', 'sv_login'),
        held: sum('sv_active'),
        waiting: sum('cl_waiting'),
      }
    },
    [Symbol.asyncDispose]: stop,
  }
}

type Options = { program: string; serverUrl: string }

/** Runs as a user other than root, whom PgBouncer refuses. */
export async function startPgBouncerHere({ program, serverUrl }: Options) {
  const runAs = await ordinaryUser()
  const folder = await folderOf(runAs, 'plate-snapshot-pgbouncer-')
  let pooler: Program | undefined
  const stop = async () => {
    await pooler?.stop('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const port = await freePort()
    const settings = join(folder, 'pgbouncer.ini')
    const users = join(folder, 'users')
    const { username, password } = new URL(serverUrl)
    await writeFile(users, [username, password].map(decodeURIComponent).map(quoted).join(' '))
    await writeFile(settings, configuration(port, users, new URL(serverUrl)))
    const output = join(folder, 'pgbouncer.out')
    pooler = startProgram(program, [settings], output, { ...runAs, cwd: folder })
    const consoleUrl = at(port, serverUrl, 'pgbouncer')
    await pooler.until(async () => (await poolsOf(consoleUrl).catch(() => undefined)) !== undefined)
    return { port, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function configuration(port: number, users: string, { hostname, port: behind, username }: URL) {
  return `[databases]
* = host=${hostname} port=${behind || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
admin_users = ${decodeURIComponent(username)}
pool_mode = transaction
default_pool_size = ${POOL_SIZE}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
`
}

/** As PgBouncer's file of users has it. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

function at(port: number, databaseUrl: string, database?: string): string {
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = `${port}`
  if (database !== undefined) url.pathname = database
  return url.href
}

/** PgBouncer's console has a table of them, a row for each database and role. */
async function poolsOf(consoleUrl: string): Promise<Record<string, string>[]> {
  const client = new Client({ connectionString: consoleUrl })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query('SHOW POOLS')).rows
  } finally {
    await client.end()
  }
}
