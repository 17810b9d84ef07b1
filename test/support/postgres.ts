import { dockerAnswers } from './docker-answers.ts'
import { orGoOnWithout } from './or-go-on-without.ts'
import { startInOwnProcess } from './own-process.ts'
import { postgresVersion } from './postgres-version.ts'
import type { Restartable } from './restartable.ts'

/** `url` is a superuser's, on a maintenance database; `version` is like `18.4`. */
export type PostgresServer = { name: string; url: string; version: string; stop(): Promise<void> }

/** `down` ends every session first, or, `immediate`, leaves all as it is, for `up` to recover. */
export type RestartablePostgres = PostgresServer &
  Restartable & { down(how?: 'fast' | 'immediate'): Promise<void> }

type OwnPostgres = RestartablePostgres & AsyncDisposable
type Release = 'newest' | 'oldest'

/**
 * The PostgreSQL that tests run on: `TEST_DATABASE_URL`, else a container, else npm's binaries. With
 * `oldest` or `newest` it is npm's binaries of that release, a server for the one test that asks.
 */
export async function startPostgres(): Promise<PostgresServer>
export async function startPostgres(release: Release): Promise<OwnPostgres>
export async function startPostgres(release?: Release): Promise<PostgresServer> {
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

function startEmbedded(release: Release): Promise<OwnPostgres> {
  const module = new URL('./embedded-postgres.ts', import.meta.url)
  return startInOwnProcess(module, 'startEmbeddedPostgres', { release })
}
