import { startInOwnProcess } from '../test/support/own-process.ts'
import type { Bench } from './support/bench.ts'
import type { DelayingProxy } from './support/delaying-proxy.ts'
import { atLeast, type Measurement, percent } from './support/measurement.ts'
import { type Ran, runCli } from './support/node-process.ts'

const IMAGES = 240
const DELAY_S = 0.125
const LATENCY_MS = 300
/** Each way: 40 milliseconds there and back. */
const ONE_WAY_MS = 20

const PROXY = new URL('./support/delaying-proxy.ts', import.meta.url)

/** A database on another continent's shore: the same run with and without 40 ms to it, at the same time. */
export async function far(bench: Bench): Promise<Measurement[]> {
  const count = bench.sized(IMAGES)
  const [near, away] = await Promise.all([
    through(bench, count, 0),
    through(bench, count, ONE_WAY_MS),
  ])
  const rateOf = ({ ran }: Through) => count / ran.seconds
  const raw = [
    `Images/s: ${rateOf(near).toFixed(2)} near, ${rateOf(away).toFixed(2)} far.`,
    `Round trips to the database (messages ReadyForQuery, those of opening and closing included) per image:`,
    `${near.roundTrips} near, ${away.roundTrips} far; ${count} images, --delay ${DELAY_S}, API ${LATENCY_MS} ms.`,
  ]
  return [atLeast('far', rateOf(away) / rateOf(near), 0.9, percent, raw.join(' '))]
}

type Through = { ran: Ran; roundTrips: string }

async function through(bench: Bench, count: number, delayMs: number): Promise<Through> {
  await using sdk = await bench.startSdk(LATENCY_MS)
  await using database = await bench.createDatabase()
  const url = new URL(database.url)
  const target = { port: Number(url.port), delayMs }
  await using proxy = await startInOwnProcess<DelayingProxy>(PROXY, 'startDelayingProxy', target)
  url.port = `${proxy.port}`
  const list = await bench.list(await bench.images(0, count))
  const env = {
    ...bench.s3,
    DATABASE_URL: url.href,
    SNAPSHOT_API_URL: `${sdk.url}/v1/plate-reader/`,
  }
  const args = ['--images', list, '--delay', `${DELAY_S}`, '--quiet']
  const ran = await runCli(args, { folder: bench.folder, env })
  return { ran, roundTrips: ((await proxy.roundTrips()) / count).toFixed(2) }
}
