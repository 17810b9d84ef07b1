import { type Environment, readSettings } from './config.ts'
import { ConfigError } from './errors.ts'
import type { FetchedImage } from './fetch-image.ts'
import { fetchWithRetry } from './fetching.ts'
import { INGEST_FLAGS } from './flags.ts'
import { createDispatcher } from './http.ts'
import { type IngestEvents, type IngestResult, runIngest } from './ingest.ts'
import { openImageList } from './lists/open-list.ts'
import { imageRefs, type ListedImage } from './lists/text-list.ts'
import { type IngestInput, readIngestOptions, readReach } from './options.ts'
import { guardOfImages } from './reach.ts'

/** The flags of `ingest` in camel case, with the same defaults and units (seconds, bytes). */
export interface IngestParameters
  extends Omit<IngestInput, 'images' | 'json' | 'quiet' | 'failed'>,
    IngestEvents {
  /** The images file, folder or glob, or the paths and URLs themselves, also with what is known of them. */
  images: string | Iterable<ListedImage> | AsyncIterable<ListedImage>
  /** Settings; `process.env` when left out. No `.env` is read. */
  env?: Environment
  /** Abort stops the run in good order: lookups in flight are finished and written. */
  signal?: AbortSignal
}

/**
 * One run over a list, as the command line does it, without printing anything.
 * @returns what was done, and in `reason` what stopped it early (undefined: nothing)
 * @throws {ConfigError} naming every wrong or missing setting, before anything is fetched
 */
export async function ingest({
  images,
  env = process.env,
  signal = new AbortController().signal,
  onOpen,
  onOutcome,
  onThrottled,
  onNotice,
  ...flags
}: IngestParameters): Promise<IngestResult> {
  const isFile = typeof images === 'string'
  const { options, problems } = readIngestOptions({ ...flags, images: isFile ? images : '-' })
  const isReal = flags.dryRun !== true
  const { allowInsecureApi = false } = flags
  const read = readSettings(env, { api: isReal, storage: isReal, allowInsecureApi })
  if ('problems' in read) throw new ConfigError([...read.problems, ...problems])
  if (options === undefined) throw new ConfigError(problems)
  const list = isFile
    ? await openImageList(images, process.stdin, {
        settle: options.settle,
        timezone: options.timezone,
        exclude: options.archive,
      })
    : ({
        kind: 'text',
        images: (stop: AbortSignal) => imageRefs(images, stop),
        count: undefined,
      } as const)
  return runIngest(
    read.settings,
    options,
    list,
    { onOpen, onOutcome, onThrottled, onNotice },
    signal,
  )
}

/** How an image is fetched: caps in bytes and pixels, a limit for the whole request in milliseconds, and as the flags say. */
export interface FetchParameters {
  maxBytes?: number
  maxPixels?: number
  timeoutMs?: number
  publicOnly?: boolean
  allowHost?: string[]
  /** False refuses paths. */
  local?: boolean
  /** A folder that paths do not lead out of. */
  root?: string
  signal?: AbortSignal
}

/**
 * Fetches a local path or an http(s) URL, trying again after network errors and 5xx.
 * @returns the bytes with MIME type (found from them), size, SHA-256
 * @throws {FetchError} for what cannot be had or is no image; {ConfigError} for a wrong `allowHost` or `root`
 */
export async function fetchImageBytes(
  reference: string,
  {
    maxBytes = INGEST_FLAGS.maxImageBytes.default,
    maxPixels = INGEST_FLAGS.maxImagePixels.default,
    timeoutMs = 30_000,
    signal = new AbortController().signal,
    ...given
  }: FetchParameters = {},
): Promise<FetchedImage> {
  const { options: reach, problems } = readReach(given)
  if (reach === undefined) throw new ConfigError(problems)
  const dispatcher = createDispatcher(timeoutMs, { guard: guardOfImages(reach) })
  try {
    const { local, root } = reach
    const access = { maxBytes, maxPixels, timeoutMs, local, root, dispatcher }
    const { seenAs: _, file: __, ...image } = await fetchWithRetry(reference, access, signal)
    return image
  } finally {
    await dispatcher.destroy()
  }
}

/** Where and how an image is put; what is left out is as in the README's table of settings. */
export interface UploadParameters {
  bucket: string
  region?: string
  /** An S3-compatible server (path style); AWS when left out. */
  endpoint?: string
  /** The AWS SDK's own provider chain when left out. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  urlStyle?: 'presigned' | 'object'
  /** Seconds that a presigned link lives, at most 604800. */
  urlExpiresS?: number
  signal?: AbortSignal
}

/** An object that is confirmed stored. */
export interface UploadedImage {
  bucket: string
  key: string
  /** A presigned GET link or `s3://bucket/key`. */
  url: string
  /** False when the object was there already. */
  isNew: boolean
}

/**
 * Puts an image into a bucket, private and with its SHA-256, unless it is there.
 * @throws {StorageError}
 */
export async function uploadToS3(
  image: FetchedImage,
  {
    bucket,
    region = 'us-east-1',
    endpoint,
    credentials,
    urlStyle,
    urlExpiresS = 604_800,
    ...rest
  }: UploadParameters,
): Promise<UploadedImage> {
  const { openS3Store } = await import('./storage/s3-store.ts')
  const store = await openS3Store({ bucket, region, endpoint, credentials, urlStyle, urlExpiresS })
  try {
    const object = store.objectFor(image)
    const sent = await store.put(image, rest.signal ?? new AbortController().signal)
    return { ...object, url: await store.linkTo(object), isNew: sent > 0 }
  } finally {
    store.close()
  }
}
