import sharp from 'sharp'
import { expect, test } from 'vitest'
import { boxWithin, framed } from '../../src/decoding/framed-image.ts'

/** A picture whose left half is red, as a camera held sideways writes it when `orientation` is 6. */
function drawLying(orientation: number): Promise<Buffer> {
  const red = sharp({ create: { width: 40, height: 40, channels: 3, background: '#f00' } })
  return red
    .extend({ right: 40, background: '#00f' })
    .withMetadata({ orientation })
    .png()
    .toBuffer()
}

test.each<[what: string, orientation: number, width: number, height: number, turned: boolean]>([
  ['turned, when the answer has the size of the upright one', 6, 40, 80, true],
  ['as stored, when the answer has the size as stored', 6, 80, 40, false],
  ['as stored, when the answer has another size', 6, 400, 800, false],
  ['as stored, when it is not said to lie', 1, 40, 80, false],
])('a picture is taken %s', async (_what, orientation, width, height, turned) => {
  const frame = await framed(await drawLying(orientation), { width, height })
  expect([frame.width, frame.height]).toEqual(turned ? [40, 80] : [80, 40])
  // The box of its upper left corner: red wherever that is.
  const corner = frame.image.clone().extract({ left: 0, top: 0, width: 40, height: 40 })
  const { dominant } = await sharp(await corner.png().toBuffer()).stats()
  expect([dominant.r > 200, dominant.b < 50]).toEqual([true, true])
})

test('a picture of which the answer says no size is taken as stored', async () => {
  expect(await framed(await drawLying(6), undefined)).toMatchObject({ width: 80, height: 40 })
})

test('a picture that breaks off is shown as far as it goes, and what is none is refused', async () => {
  const noise = { width: 200, height: 200, channels: 3 as const, background: '#fff' }
  const whole = await sharp({
    create: { ...noise, noise: { type: 'gaussian', mean: 120, sigma: 60 } },
  })
    .jpeg()
    .toBuffer()
  const { image } = await framed(whole.subarray(0, whole.length / 2), undefined)
  expect((await image.webp().toBuffer()).length).toBeGreaterThan(0)
  await expect(framed(Buffer.from('no picture'), undefined)).rejects.toThrow(/unsupported/)
})

const FRAME = { width: 100, height: 50 }
const box = (xmin: number, ymin: number, xmax: number, ymax: number) => ({ xmin, ymin, xmax, ymax })
test.each([
  ['inside, is as it was', box(10, 10, 30, 20), 0, box(10, 10, 30, 20)],
  ['between pixels, is made whole ones', box(10.4, 10.6, 29.2, 19.1), 0, box(10, 10, 30, 20)],
  ['partly outside, is cut at the edges', box(-5, 40, 120, 60), 0, box(0, 40, 100, 50)],
  ['with a margin, has it as far as the edges', box(10, 10, 30, 20), 0.6, box(0, 4, 42, 26)],
  ['outside, is none', box(100, 10, 130, 20), 0, undefined],
  ['without area, is none', box(30, 10, 10, 20), 0, undefined],
])('a box %s', (_what, given, margin, expected) => {
  expect(boxWithin(FRAME, given, margin)).toEqual(expected)
})
