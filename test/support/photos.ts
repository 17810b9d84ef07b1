import { randomBytes } from 'node:crypto'
import sharp from 'sharp'

/** A picture of a gray scene with a red plate in it, as it stands upright. */
export const UPRIGHT = { width: 96, height: 64 }
/** Where the plate is, in pixels of the upright picture. */
export const PLATE = { xmin: 60, ymin: 8, xmax: 88, ymax: 20 }
const RED = { r: 255, g: 0, b: 0 }

interface Size {
  width: number
  height: number
}

/** The plate of a picture of another size. */
export function plateIn({ width, height }: Size): typeof PLATE {
  const x = (value: number) => Math.round((value * width) / UPRIGHT.width)
  const y = (value: number) => Math.round((value * height) / UPRIGHT.height)
  return { xmin: x(PLATE.xmin), ymin: y(PLATE.ymin), xmax: x(PLATE.xmax), ymax: y(PLATE.ymax) }
}

/** The scene, its pixels gray: plain, or noise that no compression makes small. */
export async function drawScene(size: Size = UPRIGHT, isNoise = false): Promise<Buffer> {
  const { xmin, ymin, xmax, ymax } = plateIn(size)
  const plate = { width: xmax - xmin, height: ymax - ymin, channels: 3, background: RED } as const
  const gray = isNoise
    ? randomBytes(size.width * size.height)
    : Buffer.alloc(size.width * size.height, 90)
  return sharp(gray, { raw: { ...size, channels: 1 } })
    .toColorspace('srgb')
    .composite([{ input: { create: plate }, left: xmin, top: ymin }])
    .removeAlpha()
    .raw()
    .toBuffer()
}

/** As a camera stores it that is held in each of the eight ways (EXIF): what it does to the upright picture. */
const STORED: readonly { turn: number; mirrors: boolean }[] = [
  { turn: 0, mirrors: false },
  { turn: 0, mirrors: true },
  { turn: 180, mirrors: false },
  { turn: 180, mirrors: true },
  { turn: 90, mirrors: true },
  { turn: 270, mirrors: false },
  { turn: 270, mirrors: true },
  { turn: 90, mirrors: false },
]

/** A JPEG whose EXIF says how it has to be turned, 1 to 8. */
export async function photoHeld(orientation: number, size: Size = UPRIGHT): Promise<Buffer> {
  const { turn, mirrors } = STORED[orientation - 1] ?? { turn: 0, mirrors: false }
  const scene = sharp(await drawScene(size), { raw: { ...size, channels: 3 } })
  const turned = await scene.rotate(turn).raw().toBuffer({ resolveWithObject: true })
  const { width, height } = turned.info
  const stored = sharp(turned.data, { raw: { width, height, channels: 3 } })
  return (mirrors ? stored.flop() : stored)
    .withMetadata({ orientation })
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    .toBuffer()
}

/** Where a picture is red, in its own pixels, as viewers show it; undefined where it is not. */
export async function redIn(bytes: Uint8Array): Promise<typeof PLATE | undefined> {
  const { data, info } = await sharp(bytes)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const box = { xmin: width, ymin: height, xmax: -1, ymax: -1 }
  for (let at = 0, n = 0; at < data.length; at += channels, n += 1) {
    const [r = 0, g = 0, b = 0] = data.subarray(at, at + 3)
    if (r < 180 || g > 100 || b > 100) continue
    const [x, y] = [n % width, Math.floor(n / width)]
    box.xmin = Math.min(box.xmin, x)
    box.xmax = Math.max(box.xmax, x + 1)
    box.ymin = Math.min(box.ymin, y)
    box.ymax = Math.max(box.ymax, y + 1)
  }
  return box.xmax < 0 ? undefined : box
}

/** A BMP of 24 bits without compression: BITMAPFILEHEADER and BITMAPINFOHEADER, the lowest line first. */
export function toBmp(rgb: Buffer, { width, height }: Size): Buffer {
  const stride = Math.ceil((width * 3) / 4) * 4
  const bmp = Buffer.alloc(54 + stride * height)
  bmp.write('BM')
  bmp.writeUInt32LE(bmp.length, 2)
  bmp.writeUInt32LE(54, 10)
  bmp.writeUInt32LE(40, 14)
  bmp.writeInt32LE(width, 18)
  bmp.writeInt32LE(height, 22)
  bmp.writeUInt16LE(1, 26)
  bmp.writeUInt16LE(24, 28)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = ((height - 1 - y) * width + x) * 3
      const to = 54 + y * stride + x * 3
      rgb.copy(bmp, to, from, from + 3)
      bmp.subarray(to, to + 3).reverse()
    }
  }
  return bmp
}
