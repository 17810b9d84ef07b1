import { z } from 'zod'
import type { CapturePolicy } from './capture-time.ts'
import type { ConfigProblem } from './errors.ts'
import { CAPTURED_AT, LIST_FLAGS } from './list-flags.ts'
import { readNamePattern } from './name-time.ts'
import { listOf } from './option-schemas.ts'
import { timezone } from './time-schemas.ts'

/** How the name of a file tells the time. */
const filenameTime = z.string().superRefine((text, context) => {
  const pattern = readNamePattern(text)
  if ('problem' in pattern) context.addIssue(`${pattern.problem}.`)
})

/** The flags that say where capture times come from. */
export const captureSchemas = {
  capturedAt: listOf(CAPTURED_AT).default([LIST_FLAGS.capturedAt.default]),
  timezone: timezone.optional(),
  filenameTime: filenameTime.optional(),
}

const captureSchema = z.object(captureSchemas)
type CaptureOptions = z.infer<typeof captureSchema>

/** What the flags say, as one value. */
export function capturePolicyOf({
  capturedAt: from,
  timezone,
  filenameTime,
}: CaptureOptions): CapturePolicy {
  return { from, timezone, filenameTime }
}

/** What is wrong with the flags of capture times together; nothing when one is wrong by itself. */
export function captureProblems(given: unknown): ConfigProblem[] {
  const { data: options } = captureSchema.safeParse(given)
  if (options === undefined) return []
  const { capturedAt, timezone, filenameTime } = options
  const pattern = filenameTime === undefined ? undefined : readNamePattern(filenameTime)
  const hasZone = pattern !== undefined && 'hasZone' in pattern && pattern.hasZone
  const withoutZone = capturedAt.filter(
    (from) => from === 'exif' || (from === 'filename' && !hasZone),
  )
  const problems: ConfigProblem[] = []
  if (timezone === undefined && withoutZone.length > 0) {
    const message = `is needed by --captured-at ${withoutZone.join(',')}: many cameras do not say their zone, and a time in a wrong zone is worse than none. Name the cameras' zone, such as --timezone Europe/Berlin, or UTC.`
    problems.push({ name: '--timezone', message })
  }
  if (filenameTime === undefined && capturedAt.includes('filename')) {
    const message =
      "is needed by --captured-at filename. Say how the files' names tell the time, such as --filename-time YYYYMMDD-HHmmss."
    problems.push({ name: '--filename-time', message })
  }
  if (filenameTime !== undefined && !capturedAt.includes('filename')) {
    const message = 'has no effect without --captured-at filename. Add that, or leave this out.'
    problems.push({ name: '--filename-time', message })
  }
  return problems
}
