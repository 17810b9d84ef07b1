import type { FetchOptions } from './download.ts'
import { FetchError } from './errors.ts'
import { type FetchedImage, fetchImage } from './fetch-image.ts'
import { FETCH_POLICY, withRetry } from './retry.ts'

/** An image, tried again after network errors and 5xx. @throws {FetchError} */
export function fetchWithRetry(
  text: string,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<FetchedImage> {
  return withRetry(() => fetchImage(text, options, signal), FETCH_POLICY, isTransient, signal)
}

function isTransient(error: Error): boolean {
  return error instanceof FetchError && error.isTransient
}
