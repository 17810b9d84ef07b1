import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp, { type JpegOptions } from 'sharp'
import { describe, expect, test } from 'vitest'
import { isWholeImage } from '../../src/whole-image.ts'
import { randomOf } from '../support/chance.ts'
import { drawBmp, drawPicture } from '../support/drawn-images.ts'
import { pictureOf, SAMPLES } from '../support/sample-pictures.ts'

const random = randomOf(7)
const randomBytes = (count: number) =>
  Buffer.from(Array.from({ length: count }, () => Math.trunc(random() * 256)))

/** Noise of 40 by 30 pixels: every kind of byte stands in the scans. */
function noise() {
  return sharp(randomBytes(40 * 30 * 3), { raw: { width: 40, height: 30, channels: 3 } })
}

const jpeg = (options: JpegOptions = {}) => noise().jpeg(options).toBuffer()

/** A segment put behind the start of image. */
const withSegment = (marker: string, content: Buffer, picture: Buffer) => {
  const head = Buffer.from(`${marker}0000`, 'hex')
  head.writeUInt16BE(2 + content.length, 2)
  return Buffer.concat([picture.subarray(0, 2), head, content, picture.subarray(2)])
}

/** Exif begins so, and its thumbnail is a JPEG of its own. */
async function withThumbnail() {
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), await jpeg()])
  return withSegment('ffe1', exif, await jpeg())
}

/** Sharp writes no restart markers: put between any two bytes of the scan they serve as well here. */
async function withRestarts() {
  const picture = await jpeg()
  const restarts = Buffer.from('ffd05affd1a5ffd75a', 'hex')
  return Buffer.concat([picture.subarray(0, -2), restarts, picture.subarray(-2)])
}

/** Any number of FF bytes may stand before a marker. */
async function withFill() {
  const picture = await jpeg()
  const fill = Buffer.alloc(5, 0xff)
  return Buffer.concat([
    picture.subarray(0, 2),
    fill,
    picture.subarray(2, -2),
    fill,
    picture.subarray(-2),
  ])
}

const KINDS: [kind: string, mime: string, draw: () => Buffer | Promise<Buffer>][] = [
  ['baseline JPEG', 'image/jpeg', () => jpeg()],
  ['progressive JPEG', 'image/jpeg', () => jpeg({ progressive: true })],
  ['JPEG of the highest quality', 'image/jpeg', () => jpeg({ quality: 100 })],
  ['JPEG with a thumbnail in its Exif data', 'image/jpeg', withThumbnail],
  ['JPEG with restart markers', 'image/jpeg', withRestarts],
  ['JPEG with fill bytes before its markers', 'image/jpeg', withFill],
  ['picture of the tests', 'image/jpeg', () => pictureOf('car.jpg')],
  ['PNG', 'image/png', () => noise().png().toBuffer()],
  ['WebP', 'image/webp', () => noise().webp().toBuffer()],
  ['BMP', 'image/bmp', drawBmp],
]

describe.each(KINDS)('a %s', (_kind, mime, draw) => {
  test('is whole as it was written', async () => {
    expect(isWholeImage(await draw(), mime)).toBe(true)
  })

  test('is whole when a camera appended something', async () => {
    for (const more of [Buffer.alloc(1), randomBytes(1_000), await draw()]) {
      expect(isWholeImage(Buffer.concat([await draw(), more]), mime)).toBe(true)
    }
  })

  test('is not whole when it was cut short, wherever that was', async () => {
    const bytes = await draw()
    const passing = Array.from(bytes.keys()).filter((end) =>
      isWholeImage(bytes.subarray(0, end), mime),
    )
    expect(passing).toEqual([])
  })
})

// The sizes of a WebP and a BMP are in their first bytes: zeros behind them go unseen.
test.each(KINDS.filter(([, mime]) => /jpeg|png/.test(mime)))(
  'a %s is not whole when the rest of it is zeros, as from a disk that was full',
  async (_kind, mime, draw) => {
    const bytes = await draw()
    const zeroed = Buffer.concat([bytes.subarray(0, -10)], bytes.length)
    expect(isWholeImage(zeroed, mime)).toBe(false)
  },
)

test('every sample picture is whole', async () => {
  const names = (await readdir(SAMPLES)).filter((name) => /\.(jpg|png)$/.test(name))
  expect(names.length).toBeGreaterThan(10)
  for (const name of names) {
    const mime = name.endsWith('png') ? 'image/png' : 'image/jpeg'
    expect([name, isWholeImage(await readFile(join(SAMPLES, name)), mime)]).toEqual([name, true])
  }
})

test('stray bytes between the segments of a JPEG do not matter, as they do not to its readers', async () => {
  const picture = await jpeg()
  const stray = Buffer.from('00ff00a7', 'hex')
  const segmentEnd = 4 + picture.readUInt16BE(4)
  const bytes = Buffer.concat([
    picture.subarray(0, segmentEnd),
    stray,
    picture.subarray(segmentEnd),
  ])
  await expect(sharp(bytes, { failOn: 'error' }).stats()).resolves.toBeDefined()
  expect(isWholeImage(bytes, 'image/jpeg')).toBe(true)
})

test.each<[what: string, mime: string, hex: string]>([
  ['a JPEG of an end alone', 'image/jpeg', 'ffd8ffd9'],
  ['a JPEG of tables alone', 'image/jpeg', 'ffd8ffdb0003aaffd9'],
  ['a JPEG whose segment has an impossible length', 'image/jpeg', 'ffd8fffe0001ffda0002ffd9'],
  ['a JPEG whose segment leads out of it', 'image/jpeg', 'ffd8ffda0002fffeffffffd9'],
  ['a JPEG of FF bytes', 'image/jpeg', 'ffd8ffffffffffffffff'],
  ['a PNG whose chunk leads out of it', 'image/png', '89504e470d0a1a0affffffff4948445200000000'],
  ['a PNG without an end', 'image/png', '89504e470d0a1a0a000000004948445200000000'],
  ['nothing', 'image/jpeg', ''],
  ['nothing', 'image/png', ''],
  ['nothing', 'image/webp', ''],
  ['nothing', 'image/bmp', ''],
])('%s is not whole (%s)', (_what, mime, hex) => {
  expect(isWholeImage(Buffer.from(hex, 'hex'), mime)).toBe(false)
})

test('a BMP that leaves its size 0 is not judged', () => {
  const bytes = drawBmp()
  bytes.writeUInt32LE(0, 2)
  expect(isWholeImage(bytes, 'image/bmp')).toBe(true)
})

test.each(['gif', 'tiff'] as const)('a %s is not judged', async (format) => {
  const bytes = await drawPicture(format)
  expect(isWholeImage(bytes.subarray(0, 20), `image/${format}`)).toBe(true)
})

test('any bytes at all get an answer, and soon', async () => {
  const marks = [0xff, 0xff, 0xff, 0x00, 0xd0, 0xd8, 0xda, 0xfe, 0x01, 0x02]
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = Buffer.from(
      Array.from({ length: Math.trunc(random() * 200) }, () => {
        const mark = marks[Math.trunc(random() * marks.length)]
        return random() < 0.3 ? Math.trunc(random() * 256) : (mark ?? 0)
      }),
    )
    for (const mime of ['image/jpeg', 'image/png', 'image/webp', 'image/bmp']) {
      expect([true, false]).toContain(isWholeImage(bytes, mime))
    }
  }
})

test.each<[what: string, pattern: string]>([
  ['stuffed bytes', 'ff00'],
  ['restart markers', 'ffd0'],
  ['fill bytes', 'ffff'],
  ['empty segments', 'fffe0002'],
])('20 MB of %s do not hold up a run', (_what, pattern) => {
  const bytes = Buffer.alloc(20_000_000, Buffer.from(pattern, 'hex'))
  bytes.write('ffd8ffda0002', 'hex')
  const started = performance.now()
  expect(isWholeImage(bytes, 'image/jpeg')).toBe(false)
  expect(performance.now() - started).toBeLessThan(5_000)
})
