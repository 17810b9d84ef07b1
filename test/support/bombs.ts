import { crc32, deflateRawSync, constants as zlib } from 'node:zlib'

/** The longest side of a picture that nobody's camera makes. */
const SIDE = 50_000
const PIECE = 1 << 20

/**
 * A whole and valid PNG of 50,000 x 50,000 pixels in 0.6 MB, gray at 2 bits a pixel: unpacked it is 2.5 GB. Its data is
 * one piece of packed zeros over and over, as a full flush has it.
 */
export function pngBomb(): Buffer {
  const unpacked = SIDE * (1 + SIDE / 4)
  const whole = { finishFlush: zlib.Z_FULL_FLUSH }
  const piece = deflateRawSync(Buffer.alloc(PIECE), whole)
  const pieces = Array.from({ length: Math.trunc(unpacked / PIECE) }, () => piece)
  const last = deflateRawSync(Buffer.alloc(unpacked % PIECE))
  // Adler-32 of zeros: the first half stays 1, which the second adds up (RFC 1950, 8.2).
  const sums = Buffer.alloc(4)
  sums.writeUInt16BE(unpacked % 65_521, 0)
  sums.writeUInt16BE(1, 2)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIDE, 0)
  header.writeUInt32BE(SIDE, 4)
  header.writeUInt8(2, 8)
  const data = Buffer.concat([Buffer.from('789c', 'hex'), ...pieces, last, sums])
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  const none = Buffer.alloc(0)
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', none)])
}

function chunk(type: string, content: Buffer): Buffer {
  const checked = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  sum.writeUInt32BE(crc32(checked))
  return Buffer.concat([length, checked, sum])
}
