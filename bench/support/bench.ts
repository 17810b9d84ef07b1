import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { startInOwnProcess } from '../../test/support/own-process.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import { type BenchDatabase, migratedDatabases } from './databases.ts'
import { drawBase } from './pictures.ts'
import type { SwallowingServer } from './swallowing-servers.ts'

/** What all rows share: a temporary folder, a PostgreSQL server, a server that swallows images, and images. */
export interface Bench extends AsyncDisposable {
  folder: string
  /** A full measurement has the sizes and times of the README; a short one tries the harness with a tenth. */
  sized(full: number): number
  /** A migrated database of its own. */
  createDatabase(): Promise<BenchDatabase>
  /** An SDK without a limit that answers after so many milliseconds, in a process of its own. */
  startSdk(latencyMs: number): Promise<SwallowingServer & AsyncDisposable>
  /** Settings for images in a bucket of `store`. */
  s3: Readonly<Record<string, string>>
  store: SwallowingServer
  /** Paths of `count` different images of 120 KB from number `first` on; written when first asked for. */
  images(first: number, count: number): Promise<string[]>
  /** Writes an images file. @returns its path */
  list(lines: Iterable<string>): Promise<string>
}

/** In bytes: what a camera at a gate sends. */
const IMAGE_SIZE = 120_000

const SERVERS = new URL('./swallowing-servers.ts', import.meta.url)

/** Starts what all rows share. */
export async function openBench(isShort: boolean): Promise<Bench> {
  const open = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'plate-snapshot-bench-'))
  // Also when it is interrupted: gigabytes may lie there.
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.on('exit', removeFolder)
  open.defer(removeFolder)
  const postgres = open.use(await startPostgres('newest'))
  const store = open.use(await startInOwnProcess<SwallowingServer>(SERVERS, 'startImageStore'))
  const createDatabase = await migratedDatabases(postgres.url)
  const base = await drawBase(IMAGE_SIZE)
  const written = new Set<number>()
  let lists = 0
  const pathOf = (number: number) => join(folder, 'images', `${number}.jpg`)
  return {
    folder,
    sized: (full) => (isShort ? Math.ceil(full / 10) : full),
    createDatabase,
    startSdk: (latencyMs) =>
      startInOwnProcess<SwallowingServer>(SERVERS, 'startFastSdk', { latencyMs }),
    s3: {
      STORE_IMAGES: 's3',
      S3_BUCKET: 'bench',
      AWS_ENDPOINT_URL: store.url,
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench-secret',
    },
    store,
    async images(first, count) {
      const numbers = Array.from({ length: count }, (_, index) => first + index)
      const isMissing = numbers.some((number) => !written.has(number))
      if (isMissing) await base.write(first, count, pathOf)
      for (const number of numbers) written.add(number)
      return numbers.map(pathOf)
    },
    async list(lines) {
      lists += 1
      const path = join(folder, `list-${lists}.txt`)
      await writeFile(path, [...lines, ''].join('\n'))
      return path
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** Bytes that files in `folder` may still take, with a tenth of them left alone. */
export function roomIn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize * 0.9
}
