import { readFile, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, roomIn } from './support/bench.ts'
import { eachOf } from './support/each-of.ts'
import { enterKnown, type KnownSource, stageSources } from './support/known.ts'
import { atLeast, listed, type Measurement, median, mustBe, times } from './support/measurement.ts'
import { runCli } from './support/node-process.ts'
import { drawBase } from './support/pictures.ts'

const FILES = 100_000
/** The largest for which there is room. */
const SIZES = [120_000, 60_000, 20_000, 4_000]
const DAY_S = 86_400
const AT_ONCE = 16
const COUNT_OPENS = new URL('./support/count-opens.ts', import.meta.url)

/** A second run over files that have not changed, against reading them all again. */
export async function reread(bench: Bench): Promise<Measurement[]> {
  const count = bench.sized(FILES)
  const size = SIZES.find((bytes) => bytes * count < roomIn(bench.folder)) ?? 0
  const folder = join(bench.folder, 'reread')
  try {
    const files = await writeFiles(folder, count, size)
    await using sdk = await bench.startSdk(0)
    await using database = await bench.createDatabase()
    await enterKnown(database, (query) => stageSources(query, files))
    const list = await bench.list(files.map(({ source }) => source))
    const opensFile = join(bench.folder, 'opens')
    const env = {
      ...bench.s3,
      DATABASE_URL: database.url,
      SNAPSHOT_API_URL: `${sdk.url}/v1/plate-reader/`,
      BENCH_OPENS_UNDER: folder,
      BENCH_OPENS: opensFile,
    }
    const run = async (...flags: string[]): Promise<Seen> => {
      const args = ['--images', list, '--json', '--quiet', ...flags]
      const options = { folder: bench.folder, env, imports: [COUNT_OPENS] }
      const { seconds, summary } = await runCli(args, options)
      if (summary['duplicate'] !== count) throw new Error(`${summary['duplicate']} were known`)
      const opened = Number(await readFile(opensFile, 'utf8'))
      return { seconds, opened, read: await readCount(files) }
    }
    const first = await run()
    const whole = await run('--reread')
    const again = await run()
    return figures({ first, whole, again, count, size })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** `read` is how many files were read since they were written, as the file system remembers. */
type Seen = { seconds: number; opened: number; read: number }

function figures(all: {
  first: Seen
  whole: Seen
  again: Seen
  count: number
  size: number
}): Measurement[] {
  const { first, whole, again, count, size } = all
  const unchanged = [first.seconds, again.seconds]
  const isSeen = whole.opened >= count
  const access =
    whole.read === count
      ? `By their access times ${first.read} were read, and ${whole.read} with --reread.`
      : 'This file system does not keep access times.'
  return [
    atLeast(
      'reread',
      whole.seconds / median(unchanged),
      5,
      times,
      `Seconds for ${count} files of ${size} bytes: unchanged ${listed(unchanged)}, with --reread ${whole.seconds.toFixed(1)}.`,
    ),
    mustBe(
      'reread, opened',
      `${first.opened + again.opened} files`,
      'none',
      isSeen && first.opened + again.opened === 0 && (first.read === 0 || whole.read !== count),
      `Opens counted inside the process: ${first.opened} and ${again.opened}, and ${whole.opened} with --reread. ${access}`,
    ),
  ]
}

/**
 * Files as an earlier run has seen them. Their access time lies before their last change: only then does `relatime`,
 * with which Linux mounts, note the next reading.
 */
async function writeFiles(folder: string, count: number, size: number): Promise<KnownSource[]> {
  const base = await drawBase(size)
  const pathOf = (number: number) => join(folder, `${number % 100}`, `${number}.jpg`)
  await base.write(0, count, pathOf)
  const changedAt = Math.floor(Date.now() / 1_000) - DAY_S
  const files: KnownSource[] = []
  await eachOf(Array(count).keys(), AT_ONCE, async (number) => {
    const source = pathOf(number)
    await utimes(source, changedAt - DAY_S, changedAt)
    const seen = await stat(source, { bigint: true })
    const seenAs = { size: Number(seen.size), mtime: `${seen.mtimeNs}`, inode: `${seen.ino}` }
    files.push({ source, sha256: base.sha256Of(number), size: seenAs.size, seenAs })
  })
  return files
}

async function readCount(files: readonly KnownSource[]): Promise<number> {
  let read = 0
  await eachOf(files, AT_ONCE, async ({ source }) => {
    const { atimeMs, mtimeMs } = await stat(source)
    if (atimeMs > mtimeMs) read += 1
  })
  return read
}
