import { EXIF_TIME, readExif } from './exif.ts'
import { momentOf, offsetMinutes } from './zoned-time.ts'

/** A shutter's time, else when its picture became digital; each with its own distance from UTC and its fraction. */
const TIMES = [
  [EXIF_TIME.original, EXIF_TIME.offsetOriginal, EXIF_TIME.subSecOriginal],
  [EXIF_TIME.digitized, EXIF_TIME.offsetDigitized, EXIF_TIME.subSecDigitized],
] as const

/** `2026:01:31 08:30:00`; some programs write dashes, a `T`, a fraction or an offset. Zeros and blanks are no time. */
const TIME =
  /^(\d{4})[:/.-](\d\d)[:/.-](\d\d)[ T]([ \d]\d):(\d\d):(\d\d)(?:\.(\d+))? *(Z|[+-]\d\d:?\d\d)?$/i

/**
 * When a picture was taken, as its camera wrote it into EXIF, in milliseconds since 1970. IFD0's DateTime tells nothing
 * here: it is when a file was last written, by whatever program.
 * @param timezone of cameras that do not tell theirs; without it their time is not known
 */
export function* exifMoments(
  bytes: Buffer,
  mime: string,
  timezone: string | undefined,
): Generator<number> {
  const { texts } = readExif(bytes, mime)
  for (const [time, offset, subSec] of TIMES) {
    const match = TIME.exec(texts.get(time) ?? '')
    if (match === null) continue
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
      .slice(1, 7)
      .map(Number)
    const fraction = match[7] ?? /^\d+/.exec(texts.get(subSec) ?? '')?.[0] ?? ''
    const ms = Number(fraction.slice(0, 3).padEnd(3, '0'))
    const said = [match[8], texts.get(offset), texts.get(EXIF_TIME.offset)]
    const zone = said.map((text) => offsetMinutes(text ?? '')).find((told) => told !== undefined)
    const from = zone ?? timezone
    const wall = { year, month, day, hour, minute, second, ms }
    const moment = from === undefined ? undefined : momentOf(wall, from)
    if (moment !== undefined) yield moment
  }
}
