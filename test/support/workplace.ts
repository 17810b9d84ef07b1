import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import type { SandboxOptions } from '../../src/sandbox/options.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { type CliOptions, type CliResult, type RunningCli, runCli, startCli } from './cli.ts'
import { createBucket, createDatabase, type TestBucket } from './databases.ts'
import { disposables } from './disposables.ts'
import { copyEmbeddedTemplate } from './embedded-template.ts'
import type { S3Address } from './s3.ts'
import { pictureOf, SAMPLE_ANSWERS, SAMPLES } from './sample-pictures.ts'

/** The API key of every workplace: no output may show it. */
export const API_KEY = 'e2e0secret0key'

export interface WorkplaceOptions {
  database?: 'server' | 'embedded'
  storage?: 's3' | 'db'
  /** A server database that `migrate` has not seen when false. */
  isMigrated?: boolean
  /** The embedded database is not there yet: the first run makes it, which takes seconds. */
  isNew?: boolean
  /** A server of the test's own instead of the test server. */
  postgresUrl?: string
  s3?: S3Address
  sandbox?: SandboxOptions
}

type Values = readonly unknown[]

/** A working directory with settings for a sandbox, a database and an image store of its own. */
export interface Workplace extends AsyncDisposable {
  readonly folder: string
  readonly env: Record<string, string>
  readonly sandbox: Sandbox
  /** Only with storage `s3`. */
  readonly bucket: TestBucket | undefined
  /** Puts a file into the folder. */
  write(name: string, content: string | Uint8Array): Promise<void>
  /** Puts pictures of `pictureOf` into the folder, each under the name it is made of. */
  draw(...names: string[]): Promise<string[]>
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>
  start(args: readonly string[], options?: CliOptions): Promise<RunningCli>
  /** Runs `--images` over these lines without delay, with `--json`; `flags` may say otherwise. */
  ingest(
    lines: readonly string[],
    flags?: readonly string[],
    options?: CliOptions,
  ): Promise<CliResult>
  startIngest(lines: readonly string[], flags?: readonly string[]): Promise<RunningCli>
  query<Row extends object>(sql: string, values?: Values): Promise<Row[]>
}

const SCHEMA = new URL('../../db_schema.sql', import.meta.url)

/** A query that never gives its one row, and what shows that a server is at it. */
export const ENDLESS = 'SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS endless'
export const IS_BUSY = `SELECT 1 FROM pg_stat_activity
  WHERE datname = current_database() AND state = 'active' AND query LIKE 'FETCH%'`

/** A workplace; by default on a migrated server database that keeps the images too. */
export async function createWorkplace({
  database: kind = 'server',
  storage = 'db',
  isMigrated = true,
  isNew = false,
  postgresUrl,
  s3,
  sandbox: switches,
}: WorkplaceOptions = {}): Promise<Workplace> {
  const open = disposables()
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-e2e-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  await symlink(SAMPLES, join(folder, 'samples'))
  const sandbox = open.use(await startSandbox({ answers: SAMPLE_ANSWERS, ...switches }))
  const bucket = storage === 's3' ? open.use(await createBucket(s3)) : undefined
  const env: Record<string, string> = {
    PLATE_API_KEY: API_KEY,
    SNAPSHOT_API_URL: sandbox.url,
    STORE_IMAGES: storage,
    ...bucket?.env,
  }
  let query: Workplace['query'] = (sql, values) => queryEmbedded(folder, sql, values)
  if (kind === 'embedded' && !isNew) {
    await copyEmbeddedTemplate(join(folder, 'plate-snapshot-data'))
  }
  if (kind === 'server') {
    const database = open.use(await createDatabase(postgresUrl))
    env['DATABASE_URL'] = database.url
    query = async (sql, values = []) => (await database.pool.query(sql, [...values])).rows
    if (isMigrated) await database.pool.query(await readFile(SCHEMA, 'utf8'))
  }

  const write: Workplace['write'] = async (name, content) => {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  const within = (options: CliOptions = {}): CliOptions => ({
    cwd: folder,
    ...options,
    env: { ...env, ...options.env },
  })
  const ingestArgs = async (lines: readonly string[], flags: readonly string[] = []) => {
    await write('images.txt', `${lines.join('\n')}\n`)
    return ['--images', 'images.txt', '--delay', '0', '--json', ...flags]
  }
  return {
    folder,
    env,
    sandbox,
    bucket,
    write,
    async draw(...names) {
      await Promise.all(names.map((name) => write(name, pictureOf(name))))
      return names
    },
    run: (args, options) => runCli(args, within(options)),
    start: (args, options) => startCli(args, within(options)),
    ingest: async (lines, flags, options) =>
      runCli(await ingestArgs(lines, flags), within(options)),
    startIngest: async (lines, flags) => startCli(await ingestArgs(lines, flags), within()),
    query,
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

/** Only while no command holds the folder. */
async function queryEmbedded<Row extends object>(
  folder: string,
  sql: string,
  values: Values = [],
): Promise<Row[]> {
  await using embedded = await PGlite.create({
    dataDir: join(folder, 'plate-snapshot-data/pgdata'),
  })
  return (await embedded.query<Row>(sql, [...values])).rows
}

/** `name 1.jpg` to `name n.jpg`, for lists that are only long. */
export function names(count: number, name = 'picture'): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index + 1}.jpg`)
}
