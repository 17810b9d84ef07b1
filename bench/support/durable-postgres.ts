import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { Client } from 'pg'
import { startEmbeddedPostgres } from '../../test/support/embedded-postgres.ts'
import type { Stoppable } from '../../test/support/own-process.ts'
import { postgresVersion } from '../../test/support/postgres-version.ts'
import { startProgram } from '../../test/support/programs.ts'

/** A PostgreSQL server whose commits wait for the disk, as they do wherever data matters. */
export interface DurablePostgres extends Stoppable {
  url: string
}

/** Starts the server that all rows use, and starts it again with `fsync` and `full_page_writes` on. */
export async function startDurablePostgres(): Promise<DurablePostgres> {
  const server = await startEmbeddedPostgres({ release: 'newest' })
  const data = await dataFolder(server.url)
  // PostgreSQL's own note of how it was started: the program, then each argument in quotes.
  const command = await readFile(join(data, 'postmaster.opts'), 'utf8')
  const args = [...command.matchAll(/"([^"]*)"/g)].map(([, argument = '']) =>
    argument.replace(/^(fsync|full_page_writes)=off$/, '$1=on'),
  )
  await server.down('fast')
  const { uid, gid } = await stat(data)
  const cwd = dirname(data)
  const as = { uid, gid, cwd, env: { ...process.env, LC_ALL: 'C' } }
  const program = startProgram(command.split(' "')[0] ?? '', args, join(cwd, 'durable.out'), as)
  const stop = async () => {
    await program.stop('SIGQUIT')
    await server.stop()
  }
  try {
    await program.until(async () => (await postgresVersion(server.url)) !== undefined)
    return { url: server.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function dataFolder(url: string): Promise<string> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query('SHOW data_directory')
    return rows[0].data_directory
  } finally {
    await client.end()
  }
}
