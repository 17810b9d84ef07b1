export type { ErrorCode } from './advice.ts'
export type { Environment } from './config.ts'
export {
  ConfigError,
  DatabaseError,
  FetchError,
  IngestError,
  LookupError,
  LookupFailure,
  StorageError,
} from './errors.ts'
export type { FetchedImage } from './fetch-image.ts'
export type { IngestResult } from './ingest.ts'
export {
  type FetchParameters,
  fetchImageBytes,
  type IngestParameters,
  ingest,
  type UploadedImage,
  type UploadParameters,
  uploadToS3,
} from './library.ts'
export {
  type LookupInput,
  type LookupOutput,
  type LookupParameters,
  parseAndNormalizeResponse,
  sendRequestWithRetry,
} from './library-lookup.ts'
export type { Question } from './lookup.ts'
export type { BoundingBox, MakeModel, PlateReading, Snapshot } from './normalize.ts'
export type { Outcome } from './outcome.ts'
export type { Tally } from './tally.ts'
