import type { CapturePolicy, CaptureTime } from './capture-time.ts'
import type { FetchedImage } from './fetch-image.ts'
import type { ImageRef } from './image-list.ts'
import type { Question } from './lookup.ts'

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
