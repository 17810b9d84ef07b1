import { z } from 'zod'
import { exifMoments } from './exif-time.ts'
import type { FetchedImage } from './fetch-image.ts'
import type { CAPTURED_AT } from './list-flags.ts'
import { nameMoments, readNamePattern } from './name-time.ts'
import { isoOf } from './zoned-time.ts'

/** How it is found out when an image was taken: by the run's flags, or by what travels with a job. */
export interface CapturePolicy {
  /** In this order; the first that tells a time counts. `api` is the end: the answer's own time is taken. */
  from: readonly (typeof CAPTURED_AT)[number][]
  /** IANA name, for times that do not tell theirs. */
  timezone?: string | undefined
  /** How names tell times (name-time.ts). */
  filenameTime?: string | undefined
  /** What the image's own line says, before all others; ISO 8601 in UTC. */
  at?: string | undefined
}

/** As the ledger and the spool keep it. */
export const captureTime = z.union([
  z.object({ from: z.enum(['list', 'exif', 'mtime', 'filename']), at: z.string() }),
  z.object({ from: z.literal('nobody') }),
])
/**
 * When an image was taken, in ISO 8601 and UTC, and who told; `nobody`: it is not known, and the time at which the API
 * got the image, which its answer tells instead, is not wanted.
 */
export type CaptureTime = z.infer<typeof captureTime>

/** Cameras without a set clock begin with 1970, 1980 or 2000. */
const EARLIEST_MS = Date.UTC(2001, 0, 1)
/** A clock may be wrong by a zone. */
const AHEAD_MS = 86_400_000

/**
 * When an image was taken, as far as the image itself tells.
 * @param now in milliseconds since 1970: what lies far beyond it is no time of a picture
 * @returns undefined when the API's own word is to be taken
 */
export function captureTimeOf(
  image: Pick<FetchedImage, 'bytes' | 'mime' | 'source' | 'modifiedAtMs'>,
  policy: CapturePolicy | undefined,
  now = Date.now(),
): CaptureTime | undefined {
  if (policy === undefined) return undefined
  if (policy.at !== undefined) return { from: 'list', at: policy.at }
  for (const from of policy.from) {
    if (from === 'api') return undefined
    for (const moment of momentsOf[from](image, policy)) {
      if (moment >= EARLIEST_MS && moment <= now + AHEAD_MS) return { from, at: isoOf(moment) }
    }
  }
  return { from: 'nobody' }
}

type Image = Parameters<typeof captureTimeOf>[0]

/** What each tells; most tell one time or none. */
const momentsOf = {
  exif: ({ bytes, mime }: Image, { timezone }: CapturePolicy) => exifMoments(bytes, mime, timezone),
  mtime: ({ modifiedAtMs }: Image) => (modifiedAtMs === undefined ? [] : [modifiedAtMs]),
  filename({ source }: Image, { timezone, filenameTime = '' }: CapturePolicy) {
    const pattern = readNamePattern(filenameTime)
    return 'problem' in pattern ? [] : nameMoments(source, pattern, timezone)
  },
}

/** What goes to the API as `timestamp`. */
export function sentTimeOf(captured: CaptureTime | undefined): string | undefined {
  return captured === undefined || captured.from === 'nobody' ? undefined : captured.at
}
