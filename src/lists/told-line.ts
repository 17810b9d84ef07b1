import { z } from 'zod'
import type { ImageRef } from '../image-list.ts'
import { filled, jsonObject, regions } from '../option-schemas.ts'
import { redactSource } from '../source.ts'
import { utcOf } from '../zoned-time.ts'

/** What a line may have, in the order in which it is told. */
export const LINE_KEYS = ['image', 'camera_id', 'captured_at', 'regions', 'meta'] as const

const KNOWN = `a line may have ${LINE_KEYS.join(', ')}`

/** What programs write for nothing. */
const absent = z.union([z.null(), z.literal('')]).transform(() => undefined)
const optional = <T extends z.ZodType>(schema: T) => z.union([absent, schema]).optional()

const TIME_WANTED =
  'captured_at must be a time such as 2026-01-31T08:30:00+01:00; without a zone it needs --timezone'
const REGIONS_WANTED = 'regions must be a list of codes, or codes with commas between'
const META_WANTED = 'meta must be a JSON object that a database can keep'

const lineSchema = z.strictObject({
  image: z
    .string({ error: 'image is missing: a path or a URL' })
    .refine((text) => text.trim() !== '', 'image is empty: a path or a URL'),
  camera_id: optional(
    z.union([filled, z.number().transform(String)], { error: 'camera_id must be a text' }),
  ),
  captured_at: optional(z.string({ error: TIME_WANTED })),
  regions: optional(
    z
      .union([z.array(z.string()), z.string().transform((text) => text.split(/[\s,;]+/))], {
        error: REGIONS_WANTED,
      })
      .pipe(regions),
  ),
  meta: optional(jsonObject('{"lane":7}')),
})

/** Where a line stands, and how. */
interface Place {
  /** From 1. */
  line: number
  /** The file, for messages. */
  list: string
  /** As it stands there. */
  written: string
  /** Of times that tell none. */
  timezone?: string | undefined
}

/** The image that a line tells of; of one that cannot be read, why not. */
export function toldLine(given: unknown, place: Place): ImageRef {
  const { line, written, timezone } = place
  const { data, error } = lineSchema.safeParse(given)
  if (data === undefined) return badLine(whyOf(given, error), place)
  const { image: text, camera_id: cameraId, captured_at: said, regions, meta } = data
  const capturedAt = said === undefined ? undefined : utcOf(said, timezone)
  if (said !== undefined && capturedAt === undefined) return badLine(TIME_WANTED, place)
  const told = { cameraId, capturedAt, regions, meta }
  return { ...{ line, text, source: redactSource(text), written }, told }
}

/** A line that names nothing that could be fetched. It fails alone. */
export function badLine(why: string, { line, list, written }: Place): ImageRef {
  const message = `${list}: ${why}.`
  const source = `line ${line} of ${list}`
  return { ...{ line, text: '', source, written }, problem: { code: 'bad_line', message } }
}

/** The first thing wrong with a line, without what it holds: that may be a secret. */
function whyOf(given: unknown, error: z.ZodError): string {
  const [issue] = error.issues
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  if (!isObject || issue === undefined) return `not a JSON object; ${KNOWN}`
  if (issue.code === 'unrecognized_keys') {
    const strange = issue.keys.slice(0, 3).map((key) => JSON.stringify(key.slice(0, 40)))
    return `${strange.join(', ')} means nothing here; ${KNOWN}`
  }
  if (issue.path[0] === 'meta') return META_WANTED
  if (issue.path[0] === 'regions') return REGIONS_WANTED
  if (issue.path[0] === 'captured_at') return TIME_WANTED
  if (issue.path[0] === 'camera_id') return 'camera_id must be a text'
  return issue.message
}
