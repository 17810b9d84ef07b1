import { dockerAnswers } from './docker-answers.ts'
import { orGoOnWithout } from './or-go-on-without.ts'
import { startInOwnProcess } from './own-process.ts'
import { postgresVersion } from './postgres-version.ts'

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
