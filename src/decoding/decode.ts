import type { BoundingBox } from '../normalize.ts'
import type { AnswerFrame } from '../stored-values.ts'
import { type Crop, cropImage } from './crop-image.ts'
import { type FittedImage, fitForLookup } from './fit-for-lookup.ts'
import { type Place, type Shown, showPictures } from './thumbnails.ts'

/** One picture to decode, and what to make of it. */
export type Job =
  | { kind: 'crop'; bytes: Uint8Array; box: BoundingBox; answerFrame: AnswerFrame | undefined }
  | { kind: 'show'; bytes: Uint8Array; places: readonly Place[] }
  | { kind: 'fit'; bytes: Uint8Array; maxBytes: number | undefined }

/** Does one job. @throws what the native decoder throws, and {ImageError} `no_box` */
export async function decode(job: Job): Promise<Crop | FittedImage | Shown[]> {
  switch (job.kind) {
    case 'crop':
      return cropImage(job.bytes, job.box, job.answerFrame)
    case 'show':
      return showPictures(job.bytes, job.places)
    case 'fit':
      return fitForLookup(job.bytes, job.maxBytes)
  }
}
