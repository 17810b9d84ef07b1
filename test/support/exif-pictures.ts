import { randomBytes } from 'node:crypto'
import sharp from 'sharp'

/** Tags as sharp names them: of IFD0, and of the directory that has the times (its IFD2). */
export interface ExifTexts {
  ifd0?: Record<string, string>
  exif?: Record<string, string>
}

/** A small picture of noise with EXIF that sharp wrote. */
export function pictureWithExif(
  { ifd0 = {}, exif = {} }: ExifTexts,
  format: 'jpeg' | 'png' | 'webp' | 'tiff' | 'avif' = 'jpeg',
): Promise<Buffer> {
  return sharp(randomBytes(8 * 6 * 3), { raw: { width: 8, height: 6, channels: 3 } })
    .withExif({ IFD0: ifd0, IFD2: exif })
    .toFormat(format)
    .toBuffer()
}

/** What sharp does not write: EXIF with texts as they are, by tag, in one byte order or the other. */
export function exifBytes(
  texts: readonly (readonly [tag: number, text: string])[],
  order: 'II' | 'MM' = 'II',
): Buffer {
  const number = (value: number, length: 2 | 4) => {
    const bytes = Buffer.alloc(length)
    if (order === 'II') bytes.writeUIntLE(value, 0, length)
    else bytes.writeUIntBE(value, 0, length)
    return bytes
  }
  const start = 26
  const data: Buffer[] = []
  let dataAt = start + 2 + 12 * texts.length + 4
  const entries = texts.map(([tag, text]) => {
    const value = Buffer.from(text, 'latin1')
    const isShort = value.length <= 4
    const place = isShort
      ? Buffer.concat([value, Buffer.alloc(4 - value.length)])
      : number(dataAt, 4)
    if (!isShort) {
      data.push(value)
      dataAt += value.length
    }
    return Buffer.concat([number(tag, 2), number(2, 2), number(value.length, 4), place])
  })
  const pointer = [number(0x8769, 2), number(4, 2), number(1, 4), number(start, 4)]
  return Buffer.concat([
    ...[Buffer.from(order), number(42, 2), number(8, 4), number(1, 2), ...pointer, number(0, 4)],
    ...[number(texts.length, 2), ...entries, number(0, 4), ...data],
  ])
}

/** A JPEG from its beginning to its end with this EXIF, and a scan of nothing. */
export function jpegWithExif(exif: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(8 + exif.length)
  return Buffer.concat([
    ...[Buffer.from('ffd8ffe1', 'hex'), length, Buffer.from('Exif\0\0', 'latin1'), exif],
    Buffer.from('ffda0002ffd9', 'hex'),
  ])
}
