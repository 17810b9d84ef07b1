import { rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench } from './support/bench.ts'
import { enterKnown, type KnownSource, stageSources } from './support/known.ts'
import { atMost, type Measurement, megabytes, noted, percent } from './support/measurement.ts'
import { type Ran, runCli } from './support/node-process.ts'
import { drawBase } from './support/pictures.ts'

const FILES = 10_000
const LINKS = 100
/** The first of the list, which nobody has asked about. */
const UNKNOWN = 2_000
const SMALL = 2_000
const IN_FLIGHT = 32
const LARGE_IMAGES = 400
const LARGE = 1_000_000
const LARGE_LATENCY_MS = 200

/** What a list of a million costs in memory against a short one, and what large images in flight cost. */
export async function memory(bench: Bench): Promise<Measurement[]> {
  return [...(await lists(bench)), ...(await largeImages(bench))]
}

/** The same files are reached by a hundred links to their folder: a million paths without a million files. */
async function lists(bench: Bench): Promise<Measurement[]> {
  const folder = join(bench.folder, 'memory')
  const files = await writeFiles(folder, bench.sized(FILES))
  for (let link = 0; link < LINKS; link += 1) await symlink('files', join(folder, `${link}`))
  await using sdk = await bench.startSdk(0)
  const run = async (links: number): Promise<Ran> => {
    await using database = await bench.createDatabase()
    await enterKnown(database, async (query) => {
      await stageSources(query, files)
      await query(THROUGH_LINKS, [links])
      await query('DELETE FROM bench_known WHERE is_answered IS NULL OR n <= $1 AND is_answered', [
        bench.sized(UNKNOWN),
      ])
    })
    const list = await bench.list(paths(links, files))
    const env = settings(bench, database.url, sdk.url)
    const args = ['--images', list, '--delay', '0', '--quiet']
    const ran = await runCli(args, { folder: bench.folder, cwd: folder, env })
    await rm(list)
    await sdk.report().then(({ bodies }) => {
      if (bodies !== bench.sized(UNKNOWN)) throw new Error(`${bodies} lookups were made`)
    })
    return ran
  }
  const short = await run(1)
  const long = await run(LINKS)
  const growth = long.peakRssMb / short.peakRssMb - 1
  const lines = files.length
  return [
    atMost(
      'memory, long list',
      growth,
      0.1,
      percent,
      `More peak RSS for ${lines * LINKS} lines (${long.peakRssMb.toFixed(0)} MB, ${long.seconds.toFixed(0)} s) than for ${lines} (${short.peakRssMb.toFixed(0)} MB, ${short.seconds.toFixed(0)} s); all known but the first ${bench.sized(UNKNOWN)}.`,
    ),
  ]
}

/** Sources for every link; the entry of an image once. $1 how many links. */
const THROUGH_LINKS = `
  WITH files AS (UPDATE bench_known SET is_answered = NULL RETURNING *)
  INSERT INTO bench_known
  SELECT n, image_sha256, link || '/' || source, size, seen_as, link = 0
  FROM files, generate_series(0, $1::int - 1) link`

async function writeFiles(folder: string, count: number): Promise<KnownSource[]> {
  const base = await drawBase(SMALL)
  const pathOf = (number: number) => join(folder, 'files', `${number}.jpg`)
  await base.write(0, count, pathOf)
  const numbers = Array.from({ length: count }, (_, number) => number)
  return Promise.all(
    numbers.map(async (number) => {
      const seen = await stat(pathOf(number), { bigint: true })
      const seenAs = { size: Number(seen.size), mtime: `${seen.mtimeNs}`, inode: `${seen.ino}` }
      return { source: `${number}.jpg`, sha256: base.sha256Of(number), size: seenAs.size, seenAs }
    }),
  )
}

function* paths(links: number, files: readonly KnownSource[]): Generator<string> {
  for (let link = 0; link < links; link += 1) {
    for (const { source } of files) yield `${link}/${source}`
  }
}

async function largeImages(bench: Bench): Promise<Measurement[]> {
  const count = bench.sized(LARGE_IMAGES)
  const folder = join(bench.folder, 'large')
  const base = await drawBase(LARGE)
  const pathOf = (number: number) => join(folder, `${number}.jpg`)
  await base.write(0, count, pathOf)
  const list = await bench.list(Array.from({ length: count }, (_, number) => pathOf(number)))
  await using sdk = await bench.startSdk(LARGE_LATENCY_MS)
  await using database = await bench.createDatabase()
  const run = async (databaseUrl: string): Promise<Ran> => {
    const args = ['--images', list, '--delay', '0', '--concurrency', `${IN_FLIGHT}`]
    const env = settings(bench, databaseUrl, sdk.url)
    const ran = await runCli([...args, '--json', '--quiet'], { folder: bench.folder, env })
    if (ran.summary['stored'] !== count) throw new Error(`${ran.summary['stored']} were stored`)
    return ran
  }
  const server = await run(database.url)
  const embedded = await run(`pglite:${join(bench.folder, 'embedded')}`)
  await rm(folder, { recursive: true })
  const what = `Peak RSS, ${count} images of 1 MB, ${IN_FLIGHT} in flight, API ${LARGE_LATENCY_MS} ms`
  return [
    atMost('memory, large images', server.peakRssMb, 250, megabytes, `${what}, PostgreSQL server.`),
    noted('memory, embedded', megabytes(embedded.peakRssMb), `${what}, embedded database.`),
  ]
}

function settings(bench: Bench, databaseUrl: string, url: string): Record<string, string> {
  return { ...bench.s3, DATABASE_URL: databaseUrl, SNAPSHOT_API_URL: `${url}/v1/plate-reader/` }
}
