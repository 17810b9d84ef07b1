import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import sharp from 'sharp'
import { openDecoder } from '../src/decoding/decoder.ts'
import { atMost, listed, type Measurement, median, times } from './support/measurement.ts'

/** Of many phones; noise is the hardest to pack. */
const SIZE = { width: 4_600, height: 3_200 }
const LIMIT = 2_999_000
const ROUNDS = 5

/** A photo made to fit below 3 MB, against decoding and encoding it once, which is the least that takes. */
export async function photos(): Promise<Measurement[]> {
  const noise = randomBytes(SIZE.width * SIZE.height)
  const photo = await sharp(noise, { raw: { ...SIZE, channels: 1 } })
    .jpeg({ quality: 98 })
    .toBuffer()
  const decoder = openDecoder()
  try {
    // The process has started then.
    await decoder.fit(photo, LIMIT)
    const fitting: number[] = []
    const once: number[] = []
    let sent = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      fitting.push(
        await secondsOf(async () => {
          sent = (await decoder.fit(photo, LIMIT)).bytes.length
        }),
      )
      once.push(await secondsOf(() => sharp(photo).jpeg({ quality: 80 }).toBuffer()))
    }
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)
    return [
      atMost(
        'photos',
        median(fitting) / median(once),
        8,
        times,
        `Seconds for ${megabytes(photo.length)} MB, 14.7 megapixels: to make it fit (${megabytes(sent)} MB) ${listed(fitting)}, once ${listed(once)}.`,
      ),
    ]
  } finally {
    await decoder.close()
  }
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1_000
}
