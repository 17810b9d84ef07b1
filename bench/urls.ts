import { startInOwnProcess } from '../test/support/own-process.ts'
import type { Bench } from './support/bench.ts'
import type { ImageHost, Served } from './support/image-host.ts'
import { type Measurement, mustBe, noted, times } from './support/measurement.ts'
import { runCli } from './support/node-process.ts'

const IMAGES = 5_000
const CONCURRENCY = 8
const HOST = new URL('./support/image-host.ts', import.meta.url)

/** A second run over URLs whose images have not changed: nothing is fetched again. */
export async function urls(bench: Bench): Promise<Measurement[]> {
  const count = bench.sized(IMAGES)
  await using sdk = await bench.startSdk(0)
  await using database = await bench.createDatabase()
  const [file] = await bench.images(0, 1)
  await using host = await startInOwnProcess<ImageHost>(HOST, 'startImageHost', { file })
  const lines = Array.from({ length: count }, (_, index) => `${host.url}/${index}.jpg`)
  const list = await bench.list(lines)
  const env = {
    ...bench.s3,
    DATABASE_URL: database.url,
    SNAPSHOT_API_URL: `${sdk.url}/v1/plate-reader/`,
  }
  const args = ['--images', list, '--delay', '0', '--concurrency', `${CONCURRENCY}`]
  const run = () => runCli([...args, '--json', '--quiet'], { folder: bench.folder, env })

  const first = await run()
  const before = await host.report()
  const second = await run()
  const after = await host.report()
  if (first.summary['stored'] !== count || before.bodies !== count) {
    throw new Error(`the first run stored ${first.summary['stored']} of ${count} images`)
  }
  const { unchanged, not_modified: notModified } = second.summary
  const isTold = unchanged === count && notModified === count
  return [
    mustBe(
      'urls, answered 304',
      `${after.notModified} of ${after.requests}`,
      `${count} of ${count}`,
      after.notModified === count && after.requests === count,
      `In the summary: unchanged ${unchanged ?? 'missing'}, not_modified ${notModified ?? 'missing'}.`,
    ),
    mustBe(
      'urls, told so',
      `${notModified ?? 'missing'}`,
      `${count}`,
      isTold,
      'not_modified and unchanged in the summary.',
    ),
    mustBe(
      'urls, bodies fetched',
      `${after.bodyBytes} bytes`,
      '0 bytes',
      after.bodyBytes === 0,
      `${before.bodyBytes} in the first run.`,
    ),
    mustBe(
      'urls, connections',
      `${after.connections}`,
      `at most ${CONCURRENCY}`,
      after.connections <= CONCURRENCY,
      connectionsOf(before),
    ),
    noted(
      'urls, first run against second',
      times(first.seconds / second.seconds),
      `${first.seconds.toFixed(1)} s and ${second.seconds.toFixed(1)} s, ${count} URLs, concurrency ${CONCURRENCY}.`,
    ),
  ]
}

function connectionsOf({ connections }: Served): string {
  return `${connections} in the first run.`
}
