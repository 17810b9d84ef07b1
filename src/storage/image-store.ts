import type { S3Object } from '../db/snapshots.ts'
import type { FetchedImage } from '../fetch-image.ts'

/** Where images are kept. An image is stored, and that confirmed, before it is looked up. */
export interface ImageStore {
  /** For people, without secrets: `s3://plates at http://minio:9000`. */
  readonly name: string
  /** Something its user should know, if anything. */
  readonly notice?: string | undefined
  /** Where an image's object is or will be; undefined when it is kept in the database. */
  objectFor(image: FetchedImage): S3Object | undefined
  /**
   * Stores the bytes, unless they are there, and resolves when they are confirmed.
   * @param isNew there is no reason to think that they are there: they are sent without a question first
   * @returns how many bytes were sent; 0 when they were there
   * @throws {StorageError}
   */
  put(image: FetchedImage, signal: AbortSignal, isNew?: boolean): Promise<number>
  /** What `image_url` holds: a link or reference to the object, else the reference the image came by. */
  urlFor(object: S3Object | undefined, source: string | undefined): Promise<string | undefined>
  /** Does it answer at all? @throws {StorageError} */
  ping(): Promise<void>
  /** Can it be written and read back? @throws {StorageError} saying what is wrong */
  check(): Promise<void>
  close(): void
}
