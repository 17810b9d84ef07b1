import { Client } from 'pg'
import { dockerAnswers } from './containers.ts'
import { orGoOnWithout } from './or-go-on-without.ts'
import { startInOwnProcess } from './own-process.ts'

/** `url` is a superuser's, on a maintenance database; `version` is like `18.4`. */
export type PostgresServer = { name: string; url: string; version: string; stop(): Promise<void> }

/**
 * The PostgreSQL that tests run on: `TEST_DATABASE_URL`, else a container, else npm's binaries. With
 * `oldest` or `newest` it is npm's binaries of that release, a server for the one test that asks.
 */
export async function startPostgres(release?: 'newest' | 'oldest'): Promise<PostgresServer> {
  if (release) return startEmbedded(release)

  const url = process.env['TEST_DATABASE_URL']
  if (url) {
    const version = await postgresVersion(url)
    if (!version) throw new Error('TEST_DATABASE_URL: no PostgreSQL answers there')
    return { name: `TEST_DATABASE_URL, ${version}`, url, version, stop: async () => {} }
  }
  const containers = new URL('./containers.ts', import.meta.url)
  const inDocker =
    (await dockerAnswers()) &&
    (await orGoOnWithout(
      'postgres:15 in Docker',
      startInOwnProcess<PostgresServer>(containers, 'startPostgresContainer'),
    ))
  return inDocker || startEmbedded('newest')
}

function startEmbedded(release: 'newest' | 'oldest'): Promise<PostgresServer> {
  const module = new URL('./embedded-postgres.ts', import.meta.url)
  return startInOwnProcess(module, 'startEmbeddedPostgres', { release })
}

/** Undefined while no server answers at `url`, or not to this user. */
export async function postgresVersion(url: string): Promise<string | undefined> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query('SHOW server_version')
    return rows[0].server_version.split(' ')[0]
  } catch {
    return undefined
  } finally {
    await client.end().catch(() => {})
  }
}
