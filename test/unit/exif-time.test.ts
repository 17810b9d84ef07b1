import fc from 'fast-check'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { captureTimeOf } from '../../src/capture-time.ts'
import { exifMoments } from '../../src/exif-time.ts'
import { isoOf } from '../../src/zoned-time.ts'
import {
  type ExifTexts,
  exifBytes,
  jpegWithExif,
  pictureWithExif,
} from '../support/exif-pictures.ts'

const BERLIN = 'Europe/Berlin'
const NOON = '2026:01:31 12:00:00'
const ORIGINAL = 0x9003
const DIGITIZED = 0x9004
const OFFSET = 0x9010
const OFFSET_ORIGINAL = 0x9011
const SUB_SEC = 0x9291

function timeIn(bytes: Buffer, mime = 'image/jpeg') {
  const [moment] = exifMoments(bytes, mime, BERLIN)
  return moment === undefined ? undefined : isoOf(moment)
}

test.each<[camera: string, texts: ExifTexts, taken: string | undefined]>([
  ['that tells no zone', { exif: { DateTimeOriginal: NOON } }, '2026-01-31T11:00:00Z'],
  [
    'that tells its offset, as telephones do',
    { exif: { DateTimeOriginal: NOON, OffsetTimeOriginal: '-05:00', SubSecTimeOriginal: '042' } },
    '2026-01-31T17:00:00.042Z',
  ],
  [
    'that tells one offset for all',
    { exif: { DateTimeOriginal: NOON, OffsetTime: '+09:00' } },
    '2026-01-31T03:00:00Z',
  ],
  [
    'whose picture was saved elsewhere later',
    {
      ifd0: { DateTime: '2026:03:01 09:00:00' },
      exif: { DateTimeOriginal: NOON, OffsetTimeOriginal: '+01:00', OffsetTime: '-08:00' },
    },
    '2026-01-31T11:00:00Z',
  ],
  [
    'that leaves blanks for an unknown offset',
    { exif: { DateTimeOriginal: NOON, OffsetTimeOriginal: '   :  ', OffsetTime: '   :  ' } },
    '2026-01-31T11:00:00Z',
  ],
  [
    'that leaves zeros, and says when it was digitized',
    {
      exif: {
        DateTimeOriginal: '0000:00:00 00:00:00',
        DateTimeDigitized: NOON,
        OffsetTimeDigitized: '+00:00',
      },
    },
    '2026-01-31T12:00:00Z',
  ],
  ['that says only when the file was written', { ifd0: { DateTime: NOON } }, undefined],
  ['that says nothing', { ifd0: { Make: 'Nobody' } }, undefined],
])('a camera %s', async (_camera, texts, taken) => {
  expect(timeIn(await pictureWithExif(texts))).toBe(taken)
})

test.each(['jpeg', 'png', 'webp', 'avif'] as const)(
  'EXIF is found in a file of type %s',
  async (format) => {
    const exif = { DateTimeOriginal: NOON, OffsetTimeOriginal: '+01:00' }
    const bytes = await pictureWithExif({ exif }, format)
    expect(timeIn(bytes, `image/${format}`)).toBe('2026-01-31T11:00:00Z')
  },
)

test('chunks of odd length before it do not hide EXIF in a WebP', () => {
  const exif = exifBytes([[ORIGINAL, NOON]])
  const header = (name: string, length: number) => {
    const bytes = Buffer.from(`${name}\0\0\0\0`, 'latin1')
    bytes.writeUInt32LE(length, 4)
    return bytes
  }
  const chunks = [header('XMP ', 3), Buffer.alloc(4), header('EXIF', exif.length), exif]
  const webp = Buffer.concat([header('RIFF', 0), Buffer.from('WEBP'), ...chunks])
  expect(timeIn(webp, 'image/webp')).toBe('2026-01-31T11:00:00Z')
})

test.each<[said: string, text: string, taken: string | undefined]>([
  ['as the standard has it', `${NOON}\0`, '2026-01-31T11:00:00Z'],
  ['without a NUL at its end', NOON, '2026-01-31T11:00:00Z'],
  ['with dashes', '2026-01-31 12:00:00\0', '2026-01-31T11:00:00Z'],
  ['as ISO 8601', '2026-01-31T12:00:00.5+02:00\0', '2026-01-31T10:00:00.500Z'],
  ['with a blank for a zero', '2026:01:31  7:00:00\0', '2026-01-31T06:00:00Z'],
  ['with 24 o’clock', '2026:01:31 24:00:00\0', '2026-01-31T23:00:00Z'],
  ['in summer', '2026:07:31 12:00:00\0', '2026-07-31T10:00:00Z'],
  ['with zeros', '0000:00:00 00:00:00\0', undefined],
  ['with blanks', '    :  :     :  :  \0', undefined],
  ['on 30 February', '2026:02:30 12:00:00\0', undefined],
  ['at 25 o’clock', '2026:01:31 25:00:00\0', undefined],
  ['without a time', '2026:01:31\0', undefined],
  ['with nothing', '', undefined],
])('a time %s is read in both byte orders', (_said, text, taken) => {
  for (const order of ['II', 'MM'] as const) {
    const exif = exifBytes([[ORIGINAL, text]], order)
    expect(timeIn(jpegWithExif(exif))).toBe(taken)
    expect(timeIn(exif, 'image/tiff')).toBe(taken)
  }
})

test('short values stand in their entry, and a fraction has as many digits as it has', () => {
  const offset = [OFFSET_ORIGINAL, '+01:00\0'] as const
  for (const [subSec, ms] of [
    ['5\0', '.500'],
    ['123456\0', '.123'],
    ['  \0', ''],
  ] as const) {
    const exif = exifBytes([[ORIGINAL, `${NOON}\0`], offset, [SUB_SEC, subSec]], 'MM')
    expect(timeIn(jpegWithExif(exif))).toBe(`2026-01-31T11:00:00${ms}Z`)
  }
})

test('without a zone from anywhere a time is not known', () => {
  const jpeg = jpegWithExif(exifBytes([[ORIGINAL, NOON]]))
  expect([...exifMoments(jpeg, 'image/jpeg', undefined)]).toEqual([])
})

test('whatever is broken in EXIF costs the time at most', async () => {
  const exif = { DateTimeOriginal: NOON, OffsetTimeOriginal: '+01:00' }
  const formats = ['jpeg', 'png', 'webp', 'avif'] as const
  const drawn = await Promise.all(formats.map((format) => pictureWithExif({ exif }, format)))
  const handmade = jpegWithExif(
    exifBytes(
      [
        [ORIGINAL, NOON],
        [DIGITIZED, NOON],
        [OFFSET, '+01:00'],
      ],
      'MM',
    ),
  )
  const pictures = [
    ...drawn.map((bytes, n) => [bytes, `image/${formats[n]}`] as const),
    [handmade, 'image/jpeg'] as const,
  ]
  const place = fc.nat()
  const changes = fc.array(fc.tuple(place, fc.constantFrom(0, 1, 4, 42, 0x7f, 0x80, 0xff)), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(fc.constantFrom(...pictures), changes, place, ([bytes, mime], changed, cut) => {
      const broken = Buffer.from(bytes)
      for (const [at, byte] of changed) broken[at % broken.length] = byte
      const end = cut % 3 === 0 ? cut % broken.length : broken.length
      const image = { bytes: broken.subarray(0, end), mime, source: 'a.jpg' }
      const captured = captureTimeOf(image, { from: ['exif'], timezone: BERLIN })
      expect(captured?.from).toMatch(/^(exif|nobody)$/)
    }),
    { numRuns: 3_000 },
  )
})

test('a directory that names itself, or counts more than there is, ends', () => {
  const exif = exifBytes([[ORIGINAL, NOON]])
  exif.writeUInt32LE(8, 18)
  exif.writeUInt16LE(0xffff, 8)
  expect(timeIn(jpegWithExif(exif))).toBeUndefined()
  const nowhere = exifBytes([[ORIGINAL, NOON]])
  nowhere.writeUInt32LE(0xffffffff, 18)
  expect(timeIn(jpegWithExif(nowhere))).toBeUndefined()
})

test('bytes that sharp wrote are those that the tests mean', async () => {
  const { exif } = await sharp(
    await pictureWithExif({ exif: { DateTimeOriginal: NOON } }),
  ).metadata()
  expect(exif?.toString('latin1')).toContain(NOON)
})
