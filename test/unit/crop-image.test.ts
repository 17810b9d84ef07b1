import sharp from 'sharp'
import { expect, test } from 'vitest'
import { cropImage } from '../../src/decoding/crop-image.ts'
import { framed } from '../../src/decoding/framed-image.ts'
import { drawPicture } from '../support/drawn-images.ts'

/** 8 by 6 pixels: a red left upper quarter on blue. EXIF 6 has it turned to the right before it is shown. */
async function drawQuarter(format: 'jpeg' | 'png', orientation?: number): Promise<Buffer> {
  const red = { create: { width: 4, height: 3, channels: 3 as const, background: '#f00' } }
  const drawn = sharp({ create: { width: 8, height: 6, channels: 3, background: '#00f' } })
    .composite([{ input: await sharp(red).png().toBuffer(), left: 0, top: 0 }])
    .withMetadata(orientation === undefined ? {} : { orientation })
  return (format === 'jpeg' ? drawn.jpeg({ quality: 100 }) : drawn.png()).toBuffer()
}

/** Its mean color, rough, as a name. */
async function colorOf(bytes: Uint8Array): Promise<string> {
  const { channels } = await sharp(bytes).stats()
  const [red = 0, , blue = 0] = channels.map(({ mean }) => mean)
  return red > 200 ? 'red' : blue > 200 ? 'blue' : 'mixed'
}

const QUARTER = { xmin: 0, ymin: 0, xmax: 4, ymax: 3 }
const TURNED = { width: 6, height: 8 }

test.each<[format: 'jpeg' | 'png', mime: string]>([
  ['jpeg', 'image/jpeg'],
  ['png', 'image/png'],
])('a box is cut out of a %s as %s, pixel by pixel', async (format, mime) => {
  const crop = await cropImage(await drawQuarter(format), QUARTER, undefined)
  expect(crop).toMatchObject({ mime, width: 4, height: 3 })
  const { format: written, width, height } = await sharp(crop.bytes).metadata()
  expect([written, width, height]).toEqual([format, 4, 3])
  if (format === 'png') expect(await colorOf(crop.bytes)).toBe('red')
})

test.each(['webp', 'gif', 'tiff'] as const)('a box is cut out of a %s as PNG', async (format) => {
  const crop = await cropImage(await drawPicture(format), QUARTER, undefined)
  expect(crop).toMatchObject({ mime: 'image/png', width: 4, height: 3 })
})

test.each<[what: string, orientation: number, size: typeof TURNED | undefined, upper: string]>([
  ['as it is turned, when the answer has that size', 6, TURNED, 'blue'],
  ['as its pixels are, when the answer has their size', 6, { width: 8, height: 6 }, 'red'],
  ['as its pixels are, when the answer tells no size', 6, undefined, 'red'],
  ['as its pixels are, when the answer has a third size', 6, { width: 4, height: 3 }, 'red'],
  ['as its pixels are, when turning keeps the axes', 3, { width: 8, height: 6 }, 'red'],
])('a picture with an EXIF orientation is cut %s', async (_what, orientation, size, upper) => {
  const bytes = await drawQuarter('png', orientation)
  const { width, height } = await framed(bytes, size)
  expect([width, height]).toEqual(upper === 'red' ? [8, 6] : [6, 8])
  // Turned to the right, the red quarter is the right upper one.
  const left = await cropImage(bytes, { xmin: 0, ymin: 0, xmax: 3, ymax: 3 }, size)
  expect(await colorOf(left.bytes)).toBe(upper)
  if (upper === 'red') return
  const right = await cropImage(bytes, { xmin: 3, ymin: 0, xmax: 6, ymax: 4 }, size)
  expect(await colorOf(right.bytes)).toBe('red')
})

test('of a box that reaches beyond the picture the part inside is cut', async () => {
  const beyond = { xmin: -5, ymin: 3.5, xmax: 1e300, ymax: 6.5 }
  const crop = await cropImage(await drawQuarter('png'), beyond, undefined)
  expect(crop).toMatchObject({ width: 8, height: 3 })
})

test.each<[what: string, box: typeof QUARTER]>([
  ['outside', { xmin: 8, ymin: 0, xmax: 12, ymax: 3 }],
  ['outside, before', { xmin: -8, ymin: 0, xmax: 0, ymax: 3 }],
  ['without area', { xmin: 2, ymin: 2, xmax: 2, ymax: 4 }],
  ['the wrong way round', { xmin: 4, ymin: 3, xmax: 0, ymax: 0 }],
])('a box that is %s cannot be cut', async (_what, box) => {
  const cut = cropImage(await drawQuarter('png'), box, undefined)
  await expect(cut).rejects.toMatchObject({ code: 'no_box' })
})

test('a picture that is truncated is cut as far as it is there', async () => {
  const whole = await drawQuarter('jpeg')
  const crop = await cropImage(whole.subarray(0, whole.length - 20), QUARTER, undefined)
  expect(crop).toMatchObject({ width: 4, height: 3 })
})
