import { hash } from 'node:crypto'
import { resolve } from 'node:path'
import type { JobInsert } from 'pg-boss'
import { z } from 'zod'
import type { ImageRef } from '../image-list.ts'
import { CAPTURED_AT } from '../list-flags.ts'
import { redactSource, schemeOf } from '../source.ts'
import { storable } from '../storable.ts'
import { timezone } from '../time-schemas.ts'
import type { Wanted, WantedLine } from '../wanted.ts'
import { isoOf } from '../zoned-time.ts'

/** What a job holds, in the names that users know. Other programs may put such jobs too: all but `image` may be left out. */
const jobSchema = z.object({
  /** A path or a URL, secrets included; when the job is done, without them. */
  image: z.string().min(1),
  /** Its line in the images file. */
  line: z.number().int().positive().default(1),
  regions: z.array(z.string()).default([]),
  camera_id: z.string().optional(),
  mmc: z.boolean().default(false),
  config: z.record(z.string(), z.unknown()).optional(),
  confidence_threshold: z.number().min(0).max(1).default(0),
  meta: z.record(z.string(), z.unknown()).optional(),
  /** When it was taken, in ISO 8601 with a zone; or else where that is found out, and how. */
  captured_at: z.iso.datetime({ offset: true }).optional(),
  captured_at_from: z.array(z.enum(CAPTURED_AT)).default(['api']),
  timezone: timezone.optional(),
  filename_time: z.string().optional(),
})
type JobContent = z.input<typeof jobSchema>

/**
 * A line of a list as a job. A relative path is one of this process's working directory; the workers have theirs.
 * @returns what pg-boss takes: the same line is the same job as long as it waits
 */
export function toJob({ text, line }: ImageRef, wanted: Wanted): JobInsert {
  const { question, threshold, meta, capture } = wanted
  const image = schemeOf(text) === undefined ? resolve(text) : text
  const content: JobContent = {
    image,
    line,
    regions: [...question.regions],
    camera_id: question.cameraId,
    mmc: question.mmc,
    config: question.engineConfig && { ...question.engineConfig },
    confidence_threshold: threshold,
    meta: meta && { ...meta },
    captured_at: capture?.at,
    captured_at_from: capture && [...capture.from],
    timezone: capture?.timezone,
    filename_time: capture?.filenameTime,
  }
  return { data: content, singletonKey: keyOf(image) }
}

/** By this a line that waits is known again: short, since each is in an index. */
function keyOf(image: string): string {
  return hash('sha256', image, 'base64url').slice(0, 22)
}

/** The line that a job holds; undefined for a job that is none of this tool's. */
export function readJob(data: unknown): WantedLine | undefined {
  const { data: job } = jobSchema.safeParse(storable(data))
  if (job === undefined) return undefined
  const { image, line, regions, camera_id: cameraId, mmc, config: engineConfig, meta } = job
  const wanted = {
    question: { regions, cameraId, mmc, engineConfig },
    threshold: job.confidence_threshold,
    meta,
    capture: {
      from: job.captured_at_from,
      timezone: job.timezone,
      filenameTime: job.filename_time,
      at: job.captured_at && isoOf(Date.parse(job.captured_at)),
    },
  }
  return { text: image, source: redactSource(image), line, wanted }
}
