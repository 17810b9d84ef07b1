import sharp from 'sharp'
import { afterAll, expect, test } from 'vitest'
import { openDecoder } from '../../src/decoding/decoder.ts'
import { boxOnOriginal } from '../../src/lookup-image.ts'
import type { BoundingBox } from '../../src/normalize.ts'
import { drawScene, PLATE, photoHeld, plateIn, redIn, toBmp, UPRIGHT } from '../support/photos.ts'

const decoder = openDecoder({ atOnce: 2 })
afterAll(() => decoder.close())

const scene = await drawScene()
const picture = () => sharp(scene, { raw: { ...UPRIGHT, channels: 3 } })

/** Compression blurs edges by a pixel or two. */
function expectNear(box: BoundingBox | undefined, wanted: BoundingBox, within = 2): void {
  for (const side of ['xmin', 'ymin', 'xmax', 'ymax'] as const) {
    expect(Math.abs((box?.[side] ?? Number.NaN) - wanted[side]), side).toBeLessThanOrEqual(within)
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a photo held in way %i of EXIF is sent upright, and its boxes are those that viewers show',
  async (orientation) => {
    const photo = await photoHeld(orientation)
    const { bytes, original, ...sent } = await decoder.fit(photo, undefined)

    expect(original).toEqual(UPRIGHT)
    expect(sent).toEqual({ ...UPRIGHT, quality: 95 })
    const { orientation: left = 1 } = await sharp(bytes).metadata()
    expect(left).toBe(1)
    expectNear(await redIn(bytes), PLATE)
    // So the crop of the stored photo is the plate, too.
    const plate = await decoder.crop(photo, PLATE, 'upright')
    expect([plate.width, plate.height]).toEqual([28, 12])
    const [red, green] = (await sharp(plate.bytes).stats()).channels
    expect([red?.mean, green?.mean]).toEqual([expect.closeTo(254, -1), expect.closeTo(0, -1)])
  },
)

test.each<[what: string, draw: () => Promise<Buffer>]>([
  ['WebP', () => picture().webp({ quality: 95 }).toBuffer()],
  ['TIFF', () => picture().tiff().toBuffer()],
  ['GIF', () => picture().gif().toBuffer()],
  ['AVIF', () => picture().avif({ quality: 90 }).toBuffer()],
  ['BMP', async () => toBmp(scene, UPRIGHT)],
  ['PNG of 16 bits', () => picture().toColorspace('rgb16').png().toBuffer()],
  ['PNG with a palette', () => picture().png({ palette: true }).toBuffer()],
  ['JPEG of CMYK', () => picture().toColorspace('cmyk').jpeg({ quality: 95 }).toBuffer()],
])('%s is sent as a JPEG of the same picture', async (_what, draw) => {
  const { bytes, original, width, height } = await decoder.fit(await draw(), undefined)

  expect([original, { width, height }]).toEqual([UPRIGHT, UPRIGHT])
  expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', channels: 3 })
  expectNear(await redIn(bytes), PLATE)
})

test('what is transparent is sent white', async () => {
  const clear = { ...UPRIGHT, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const
  const { bytes } = await decoder.fit(await sharp({ create: clear }).png().toBuffer(), undefined)

  expect((await sharp(bytes).stats()).channels.map(({ mean }) => mean)).toEqual([255, 255, 255])
})

const NOISE = { width: 600, height: 400 }
const noise = await sharp(await drawScene(NOISE, true), { raw: { ...NOISE, channels: 3 } })
  .png()
  .toBuffer()

test.each([150_000, 60_000, 9_000])(
  'at most %i bytes are sent, in as good a quality and then as many pixels as fit',
  async (maxBytes) => {
    const { bytes, original, quality, ...size } = await decoder.fit(noise, maxBytes)

    expect(original).toEqual(NOISE)
    expect(bytes.length).toBeLessThanOrEqual(maxBytes)
    expect(bytes.length).toBeGreaterThan(maxBytes * 0.8)
    // Not a pixel goes as long as less quality is enough.
    expect(size.width === NOISE.width || quality === 65).toBe(true)
    const seen = await redIn(bytes)
    const sent = { ...size, bytes: bytes.length, quality, original }
    expectNear(seen && boxOnOriginal(seen, sent), plateIn(NOISE), 8)
  },
)

test('a box stays within the picture', () => {
  const sent = {
    width: 50,
    height: 40,
    bytes: 1,
    quality: 65,
    original: { width: 100, height: 80 },
  }
  const box = { xmin: -3, ymin: 10, xmax: 51, ymax: 40 }

  expect(boxOnOriginal(box, sent)).toEqual({ xmin: 0, ymin: 20, xmax: 100, ymax: 80 })
  expect(boxOnOriginal(box, undefined)).toBe(box)
})
