import type { PictureSize } from '../picture-size.ts'

/** Pixels as sharp takes them: three bytes each, from the upper left corner. */
export interface Pixels extends PictureSize {
  rgb: Buffer
}

const BITS = new Set([1, 4, 8, 24, 32])

/**
 * The pixels of a BMP without compression: with a palette, 24 or 32 bits (libvips, which decodes all other types here, has
 * no reader of its own for it). The size was looked at before.
 * @throws {Error} for what it does not read
 */
export function readBmp(bytes: Buffer): Pixels {
  const start = bytes.readUInt32LE(10)
  const header = bytes.readUInt32LE(14)
  const width = bytes.readInt32LE(18)
  const tall = bytes.readInt32LE(22)
  const bits = bytes.readUInt16LE(28)
  const compression = bytes.readUInt32LE(30)
  const height = Math.abs(tall)
  // 3 tells where red, green and blue stand: of 32 bits where they always do, in all but odd files.
  const isPlain = compression === 0 || (compression === 3 && bits === 32)
  if (header < 40 || width <= 0 || height === 0 || !BITS.has(bits) || !isPlain) {
    throw new Error('it is a BMP of a rare kind')
  }
  const stride = Math.ceil((width * bits) / 32) * 4
  if (start + stride * height > bytes.length) throw new Error('it was cut short')
  const colorAt = bits > 8 ? directColor(bits / 8) : paletteColor(bytes.subarray(14 + header), bits)
  const rgb = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y += 1) {
    // The lowest line comes first, but for a negative height.
    const line = bytes.subarray(start + stride * (tall < 0 ? y : height - 1 - y))
    for (let x = 0; x < width; x += 1) {
      const { from, at } = colorAt(line, x)
      const to = (y * width + x) * 3
      rgb[to] = from[at + 2] ?? 0
      rgb[to + 1] = from[at + 1] ?? 0
      rgb[to + 2] = from[at] ?? 0
    }
  }
  return { width, height, rgb }
}

/** Where the color of a pixel stands, blue first. */
type ColorAt = (line: Buffer, x: number) => { from: Buffer; at: number }

function directColor(size: number): ColorAt {
  const found: { from: Buffer; at: number } = { from: Buffer.alloc(0), at: 0 }
  return (line, x) => {
    found.from = line
    found.at = x * size
    return found
  }
}

function paletteColor(palette: Buffer, bits: number): ColorAt {
  const perByte = 8 / bits
  const found = { from: palette, at: 0 }
  return (line, x) => {
    const shift = 8 - bits * ((x % perByte) + 1)
    found.at = (((line[Math.floor(x / perByte)] ?? 0) >> shift) & (2 ** bits - 1)) * 4
    return found
  }
}
