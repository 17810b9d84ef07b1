import type { CapturePolicy, CaptureTime } from './capture-time.ts'
import type { FetchedImage } from './fetch-image.ts'
import type { ImageRef } from './image-list.ts'
import type { Question } from './lookup.ts'
import { pathOf } from './source.ts'

/** What is wanted of an image: of all lines of a list by the run's flags, of a job's image by what travels with it. */
export interface Wanted {
  question: Question
  /** Confidence threshold, 0 to 1: a plate whose reading score is below it gets no row. */
  threshold: number
  /** To be found in the `meta` of its rows, beside what the tool writes there. */
  meta?: Readonly<Record<string, unknown>> | undefined
  /** How it is found out when it was taken; left out, the API's answer tells. */
  capture?: CapturePolicy | undefined
}

/** A line with what is wanted of its image. */
export interface WantedLine extends ImageRef {
  wanted: Wanted
}

/** The bytes of a line, with what is wanted of them. */
export interface WantedImage extends FetchedImage {
  wanted: Wanted
  /** When it was taken, where that does not come from the answer. */
  captured?: CaptureTime | undefined
}

/**
 * What is wanted of a line: what it says itself, then what its path tells, then what all lines are given.
 * @param cameraFromPath its group `camera`, else its first group, else all it matches is the camera
 */
export function wantedOfLine(
  { text, told = {} }: ImageRef,
  wanted: Wanted,
  cameraFromPath: RegExp | undefined,
): Wanted {
  const { question } = wanted
  const { regions = question.regions, meta, capturedAt: at } = told
  const cameraId = told.cameraId ?? cameraOf(text, cameraFromPath) ?? question.cameraId
  return {
    ...wanted,
    question: { ...question, regions, cameraId },
    capture: at === undefined ? wanted.capture : { from: ['api'], ...wanted.capture, at },
    meta: meta === undefined ? wanted.meta : { ...wanted.meta, ...meta },
  }
}

function cameraOf(text: string, expression: RegExp | undefined): string | undefined {
  const match = expression?.exec(pathOf(text))
  const camera = match?.groups?.['camera'] ?? match?.[1] ?? match?.[0]
  return camera === '' ? undefined : camera
}
