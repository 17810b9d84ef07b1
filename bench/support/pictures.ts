import { createHash, type Hash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import sharp from 'sharp'
import { eachOf } from './each-of.ts'

/** How many files are written at once. */
const WRITERS = 16

/** One JPEG that many are made of: the same picture with another number behind its end, which JPEG allows. */
export interface BasePicture {
  /** SHA-256 of the JPEG with this number, in hex; costs next to nothing, for the picture itself is hashed once. */
  sha256Of(number: number): string
  /** Writes a JPEG for each of `count` numbers from `first` on. */
  write(first: number, count: number, pathOf: (number: number) => string): Promise<void>
}

/** Draws a JPEG of noise, which compresses no better than a photograph, of about this size in bytes. */
export async function drawBase(size: number): Promise<BasePicture> {
  let side = 256
  let bytes = await noise(side)
  // The size follows the area, but for the headers: a few steps come close enough.
  for (let step = 0; step < 3; step += 1) {
    side = Math.max(8, Math.round(side * Math.sqrt(size / bytes.length)))
    bytes = await noise(side)
  }
  const hashed: Hash = createHash('sha256').update(bytes)
  const tailOf = (number: number) => Buffer.from(String(number).padStart(16, '0'))
  const numbered = (number: number) => Buffer.concat([bytes, tailOf(number)])
  return {
    sha256Of: (number) => hashed.copy().update(tailOf(number)).digest('hex'),
    async write(first, count, pathOf) {
      const numbers = Array.from({ length: count }, (_, index) => first + index)
      const folders = new Set(numbers.map((number) => dirname(pathOf(number))))
      await Promise.all([...folders].map((folder) => mkdir(folder, { recursive: true })))
      await eachOf(numbers, WRITERS, (number) => writeFile(pathOf(number), numbered(number)))
    },
  }
}

function noise(side: number): Promise<Buffer> {
  const raw = { width: side, height: side, channels: 3 as const }
  return sharp(randomBytes(side * side * 3), { raw })
    .jpeg({ quality: 80 })
    .toBuffer()
}
