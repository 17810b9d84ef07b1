import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { pictureSize, pixelsBeyond } from '../../src/picture-size.ts'
import { pngBomb } from '../support/bombs.ts'
import { randomOf } from '../support/chance.ts'
import { drawBmp } from '../support/drawn-images.ts'

const WIDTH = 40
const HEIGHT = 30
const picture = () =>
  sharp({ create: { width: WIDTH, height: HEIGHT, channels: 4, background: '#3456' } })

/** A JPEG with bytes put in behind its start. */
async function jpegWith(hex: string): Promise<Buffer> {
  const jpeg = await picture().jpeg().toBuffer()
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from(hex, 'hex'), jpeg.subarray(2)])
}

/** Its frame header marked as another kind (SOF9: arithmetic coding). */
async function jpegOfKind(marker: number): Promise<Buffer> {
  const jpeg = await picture().jpeg().toBuffer()
  jpeg[jpeg.indexOf(Buffer.from('ffc0', 'hex')) + 1] = marker
  return jpeg
}

function bmpOf(width: number, height: number): Buffer {
  const bmp = drawBmp()
  bmp.writeInt32LE(width, 18)
  bmp.writeInt32LE(height, 22)
  return bmp
}

/** As OS/2 wrote them: 16 bits for each side. */
function oldBmp(): Buffer {
  const bmp = drawBmp()
  bmp.writeUInt32LE(12, 14)
  bmp.writeUInt16LE(WIDTH, 18)
  bmp.writeUInt16LE(HEIGHT, 20)
  return bmp
}

/** A logical screen of one pixel, and a picture that reaches beyond it. */
async function gifBeyondItsScreen(): Promise<Buffer> {
  const gif = await picture().gif().toBuffer()
  gif.writeUInt32LE(0x00010001, 6)
  return gif
}

type Entry = readonly [tag: number, type: number, value: number]

/** A TIFF of a directory of `counted` entries, and more behind it that nobody counted. */
function tiffOf(counted: readonly Entry[], more: readonly Entry[] = []): Buffer {
  const tiff = Buffer.alloc(10 + 12 * (counted.length + more.length) + 4)
  tiff.write('II*\0', 'latin1')
  tiff.writeUInt32LE(8, 4)
  tiff.writeUInt16LE(counted.length, 8)
  for (const [index, [tag, type, value]] of [...counted, ...more].entries()) {
    const at = 10 + 12 * index
    tiff.writeUInt16LE(tag, at)
    tiff.writeUInt16LE(type, at + 2)
    tiff.writeUInt32LE(1, at + 4)
    tiff.writeUInt32LE(value, at + 8)
  }
  return tiff
}

const [SHORT, LONG] = [3, 4]
const WIDE: Entry = [256, SHORT, WIDTH]
const HIGH: Entry = [257, LONG, HEIGHT]
const SMALL: readonly Entry[] = [
  [256, SHORT, 1],
  [257, SHORT, 1],
]
const LARGE: readonly Entry[] = [
  [256, LONG, 60_000],
  [257, LONG, 60_000],
]
/** A segment that holds what would be a frame header of one pixel. */
const DECOY = 'fffe000dffc0000b08000100010101'
const ALPHA = { lossless: false, alphaQuality: 50 }

test.each<[kind: string, mime: string, draw: () => Buffer | Promise<Buffer>]>([
  ['baseline JPEG', 'image/jpeg', () => picture().jpeg().toBuffer()],
  ['progressive JPEG', 'image/jpeg', () => picture().jpeg({ progressive: true }).toBuffer()],
  ['JPEG with fill bytes and a decoy', 'image/jpeg', () => jpegWith(`ff${DECOY}ffff`)],
  ['JPEG with stray bytes', 'image/jpeg', () => jpegWith('00ff00a7')],
  ['JPEG of arithmetic coding', 'image/jpeg', () => jpegOfKind(0xc9)],
  ['lossless JPEG', 'image/jpeg', () => jpegOfKind(0xc3)],
  ['PNG', 'image/png', () => picture().png().toBuffer()],
  ['lossy WebP', 'image/webp', () => picture().removeAlpha().webp().toBuffer()],
  ['lossless WebP', 'image/webp', () => picture().webp({ lossless: true }).toBuffer()],
  ['WebP with an alpha channel', 'image/webp', () => picture().webp(ALPHA).toBuffer()],
  ['GIF', 'image/gif', () => picture().gif().toBuffer()],
  ['GIF that reaches beyond its screen', 'image/gif', gifBeyondItsScreen],
  ['TIFF', 'image/tiff', () => picture().tiff().toBuffer()],
  ['BigTIFF', 'image/tiff', () => picture().tiff({ bigtiff: true }).toBuffer()],
  ['TIFF with entries that nobody counted', 'image/tiff', () => tiffOf([WIDE, HIGH], LARGE)],
  ['TIFF that tells its size twice', 'image/tiff', () => tiffOf([WIDE, HIGH, ...SMALL])],
  ['BMP', 'image/bmp', () => bmpOf(WIDTH, HEIGHT)],
  ['BMP from the top', 'image/bmp', () => bmpOf(WIDTH, -HEIGHT)],
  ['BMP of OS/2', 'image/bmp', oldBmp],
])('the size of a %s is in its header', async (_kind, mime, draw) => {
  expect(pictureSize(await draw(), mime)).toEqual({ width: WIDTH, height: HEIGHT })
})

test('pixels beyond the cap are told of, with the size', () => {
  const size = pictureSize(pngBomb(), 'image/png')
  expect(size && pixelsBeyond(size, 200_000_000)).toBe(
    'has 50000 x 50000 pixels; the limit is 200000000 in all',
  )
  expect(pixelsBeyond({ width: 20_000, height: 10_000 }, 200_000_000)).toBeUndefined()
})

const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'tiff'] as const
const MIMES = [...FORMATS.map((format) => `image/${format}`), 'image/bmp']

describe.each(FORMATS)('of a %s whose header is spoiled', (format) => {
  const mime = `image/${format}`

  test('no smaller size is told than its decoder finds', async () => {
    const random = randomOf(11)
    const upTo = (most: number) => Math.trunc(random() * most)
    const whole = await picture().toFormat(format).toBuffer()
    let known = 0
    for (let round = 0; round < 300; round += 1) {
      const spoiled = Buffer.from(whole)
      for (let n = upTo(3); n >= 0; n -= 1) spoiled[upTo(Math.min(whole.length, 200))] = upTo(256)
      // What is no longer of its type at all is not fetched as such.
      const found = await sharp(spoiled, { limitInputPixels: false })
        .metadata()
        .catch(() => undefined)
      const told = pictureSize(spoiled, mime)
      if (found?.format !== format || told === undefined) continue
      known += 1
      const pixels = told.width * told.height
      expect(pixels, spoiled.toString('hex')).toBeGreaterThanOrEqual(found.width * found.height)
    }
    expect(known).toBeGreaterThan(30)
  })
})

test('any bytes are read to their end, without a throw', async () => {
  const random = randomOf(12)
  for (const mime of MIMES) {
    for (let length = 0; length < 200; length += 1) {
      const bytes = Buffer.from(Array.from({ length }, () => Math.trunc(random() * 256)))
      if (length >= 4) bytes.write(length % 2 ? 'II*\0' : 'MM\0+', 'latin1')
      const size = pictureSize(bytes, mime)
      expect(size === undefined || (size.width >= 0 && size.height >= 0)).toBe(true)
    }
  }
  expect(pictureSize(Buffer.from('<svg/>'), 'image/svg+xml')).toBeUndefined()
})
