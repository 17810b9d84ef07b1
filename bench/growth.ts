import type { Bench } from './support/bench.ts'
import type { BenchDatabase } from './support/databases.ts'
import { enterKnown } from './support/known.ts'
import { atLeast, listed, type Measurement, median, percent } from './support/measurement.ts'
import { runCli } from './support/node-process.ts'

const ROWS = 1_000_000
const IMAGES = 2_500
const ROUNDS = 3
const CONCURRENCY = 16

/** A million rows of all kinds, as some years of use leave them. $1 how many. */
const STAGE = `INSERT INTO bench_known
  SELECT n, encode(sha256(n::text::bytea), 'hex'), 'lane-' || n % 8 || '/2025/picture-' || n || '.jpg', 120000 + n % 5000,
         jsonb_build_object('size', 120000 + n % 5000, 'mtime', (1750000000000000000 + n)::text, 'inode', n::text), true
  FROM generate_series(1, $1::int) n`

/** Images a second into a database that already holds much, against one that holds nothing. */
export async function growth(bench: Bench): Promise<Measurement[]> {
  const rows = bench.sized(ROWS)
  const count = bench.sized(IMAGES)
  await using sdk = await bench.startSdk(0)
  await using full = await bench.createDatabase()
  await enterKnown(full, (query) => query(STAGE, [rows]))
  const rates = { empty: [] as number[], full: [] as number[] }
  for (let round = 0; round < ROUNDS; round += 1) {
    // Others each time: what the full database knows from the round before costs nothing.
    const list = await bench.list(await bench.images(round * count, count))
    const intoEmpty = async () => {
      await using empty = await bench.createDatabase()
      rates.empty.push(await rateInto(bench, empty, { list, count, url: sdk.url }))
    }
    const intoFull = async () => {
      rates.full.push(await rateInto(bench, full, { list, count, url: sdk.url }))
    }
    for (const run of round % 2 === 0 ? [intoEmpty, intoFull] : [intoFull, intoEmpty]) await run()
  }
  const raw = `Images/s into an empty database ${listed(rates.empty, 0)}, into one with ${rows} rows, entries and sources ${listed(rates.full, 0)}; ${count} images a run, concurrency ${CONCURRENCY}.`
  return [atLeast('growth', median(rates.full) / median(rates.empty), 0.9, percent, raw)]
}

async function rateInto(
  bench: Bench,
  database: BenchDatabase,
  { list, count, url }: { list: string; count: number; url: string },
): Promise<number> {
  const args = ['--images', list, '--delay', '0', '--concurrency', `${CONCURRENCY}`]
  const env = {
    ...bench.s3,
    DATABASE_URL: database.url,
    SNAPSHOT_API_URL: `${url}/v1/plate-reader/`,
  }
  const options = { folder: bench.folder, env }
  const { seconds, summary } = await runCli([...args, '--json', '--quiet'], options)
  if (summary['stored'] !== count) throw new Error(`${summary['stored']} of ${count} were stored`)
  return count / seconds
}
