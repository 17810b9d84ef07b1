import type { FetchOptions } from './download.ts'
import { FetchError } from './errors.ts'
import { type FetchedImage, fetchImage } from './fetch-image.ts'
import { FETCH_POLICY, withRetry } from './retry.ts'
import type { SeenAs } from './seen-as.ts'

/**
 * An image, tried again after network errors and 5xx.
 * @param before what is known of the source: when it is as it was, nothing is read and nothing given
 * @throws {FetchError}
 */
export function fetchWithRetry(
  text: string,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<FetchedImage>
export function fetchWithRetry(
  text: string,
  options: FetchOptions,
  signal: AbortSignal,
  before: SeenAs | undefined,
): Promise<FetchedImage | undefined>
export function fetchWithRetry(
  text: string,
  options: FetchOptions,
  signal: AbortSignal,
  before?: SeenAs,
): Promise<FetchedImage | undefined> {
  const fetched = () => fetchImage(text, options, signal, before)
  return withRetry(fetched, FETCH_POLICY, isTransient, signal)
}

function isTransient(error: Error): boolean {
  return error instanceof FetchError && error.isTransient
}
