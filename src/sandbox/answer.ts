import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { LookupForm } from './lookup-form.ts'
import type { SandboxFlavor } from './options.ts'
import { fieldRefusal } from './refusal.ts'
import type { SampleAnswer } from './sample-answers.ts'
import { cloudTimestamp, nowUtc, parseTimestamp, sdkTimestamp } from './timestamp.ts'
import { vehicleResult } from './vehicle-result.ts'

/** What the client asked to have done to the image. */
export interface LookupRequest {
  cameraId: string | null
  /** ISO 8601 with microseconds or whole seconds, UTC without a zone; `undefined` is now. */
  timestamp: string | undefined
  mayAddMmc: boolean
  mayAddDirection: boolean
  isVehicleMode: boolean
  filename: string | undefined
}

/** Checks the fields of a form; throws a `Refusal` (400) for a bad `config` or `timestamp`. */
export function readLookupRequest({ fields, filename }: LookupForm): LookupRequest {
  const mmc = isTrue(fields['mmc'])
  return {
    cameraId: fields['camera_id']?.at(-1) ?? null,
    timestamp: parseTimestamp(fields['timestamp']?.at(-1)),
    mayAddMmc: mmc,
    mayAddDirection: mmc && isTrue(fields['direction']),
    isVehicleMode: isVehicleMode(fields['config']?.at(-1)),
    filename,
  }
}

/** Of the account, as the SDK shows it in each answer. */
export interface Usage {
  calls: number
  maxCalls: number
}

/**
 * The body of a success as JSON: keys and their order as in samples 02 and 06 (cloud) and 24 and 25
 * (SDK).
 */
export function renderAnswer(
  flavor: SandboxFlavor,
  request: LookupRequest,
  sample: SampleAnswer | undefined,
  usage: Usage,
  processingMs: number,
): string {
  const results = renderResults(request, sample)
  const processing_time = Math.round(processingMs * 1000) / 1000
  const timestamp = request.timestamp ?? nowUtc()
  if (flavor === 'sdk') {
    return JSON.stringify({
      filename: request.filename ?? 'upload',
      timestamp: sdkTimestamp(timestamp),
      camera_id: request.cameraId,
      results,
      usage: { calls: usage.calls, max_calls: usage.maxCalls },
      processing_time,
    })
  }
  return JSON.stringify({
    processing_time,
    results,
    filename: cloudFilename(request.filename),
    version: 1,
    camera_id: request.cameraId,
    timestamp: cloudTimestamp(timestamp),
    // Absent when unknown: JSON.stringify leaves out what is undefined.
    image_width: sample?.image_width,
    image_height: sample?.image_height,
  })
}

function renderResults(request: LookupRequest, sample: SampleAnswer | undefined): unknown[] {
  return (sample?.results ?? []).map((result) => {
    if (request.isVehicleMode) return vehicleResult(result, request.mayAddMmc)
    const { model_make, color, orientation, direction, direction_score, ...plate } = result
    return {
      ...plate,
      ...(request.mayAddMmc && { model_make, color, orientation }),
      ...(request.mayAddDirection && { direction, direction_score }),
    }
  })
}

/** `HHMM_XXXXX_name` with the server's hour and minute, and an invented name where none was sent. */
function cloudFilename(filename = `${randomUUID()}.jpg`): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const hhmm = new Date().toISOString().slice(11, 16).replace(':', '')
  const tag = Array.from({ length: 5 }, () => letters[Math.floor(Math.random() * letters.length)])
  return `${hhmm}_${tag.join('')}_${filename}`
}

/** Python clients send `True` and get what they ask for. */
function isTrue(values: readonly string[] | undefined): boolean {
  return values?.at(-1)?.toLowerCase() === 'true'
}

const vehicleMode = z.object({ detection_mode: z.literal('vehicle') })

function isVehicleMode(config: string | undefined): boolean {
  if (config === undefined || config === '') return false
  try {
    return vehicleMode.safeParse(JSON.parse(config)).success
  } catch {
    throw fieldRefusal('config', 'Value must be valid JSON.')
  }
}
