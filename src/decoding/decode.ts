import type { BoundingBox } from '../normalize.ts'
import type { PictureSize } from '../picture-size.ts'
import { type Crop, cropImage } from './crop-image.ts'
import { type Place, type Shown, showPictures } from './thumbnails.ts'

/** One picture to decode, and what to make of it. */
export type Job =
  | { kind: 'crop'; bytes: Uint8Array; box: BoundingBox; answerSize: PictureSize | undefined }
  | { kind: 'show'; bytes: Uint8Array; places: readonly Place[] }

/** Does one job. @throws what the native decoder throws, and {ImageError} `no_box` */
export async function decode(job: Job): Promise<Crop | Shown[]> {
  switch (job.kind) {
    case 'crop':
      return cropImage(job.bytes, job.box, job.answerSize)
    case 'show':
      return showPictures(job.bytes, job.places)
  }
}
