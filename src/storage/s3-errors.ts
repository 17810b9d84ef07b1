import { S3ServiceException } from '@aws-sdk/client-s3'
import { certificateHint } from '../certificates.ts'
import { messageOf, StorageError, systemCodeOf } from '../errors.ts'
import { isTimeout } from '../http.ts'

/** The HTTP status of a refused request; undefined for anything else that was thrown. */
export function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof S3ServiceException ? thrown.$metadata.httpStatusCode : undefined
}

/** The SDK's error in the tool's own terms: what no image could do anything about stops the run. */
export function storageError(cause: unknown, what: string): StorageError {
  if (cause instanceof StorageError) return cause
  const status = statusOf(cause)
  const said = `${what}: ${wordsOf(cause, status)}.`
  if (isAboutOneRequest(cause, status)) {
    return new StorageError('storage_failed', said, { cause })
  }
  if (status !== undefined && status < 500)
    return new StorageError('storage_refused', said, { cause })
  if (status !== undefined || systemCodeOf(cause) !== undefined || isTimeout(cause)) {
    return new StorageError('storage_down', said, { cause, hint: certificateHint(cause) })
  }
  // Credentials that no provider could give have no status and no system code.
  return new StorageError('storage_refused', said, { cause })
}

/** Codes of a 400 that every request would get: wrong region, credentials that ran out. */
const ABOUT_ALL =
  /^(ExpiredToken|InvalidToken|TokenRefreshRequired|AuthorizationHeaderMalformed|InvalidAccessKeyId)$/

function isAboutOneRequest(cause: unknown, status: number | undefined): boolean {
  if (status === undefined || (cause instanceof Error && ABOUT_ALL.test(cause.name))) return false
  return status === 400 || (status > 404 && status < 500)
}

/** A refused HEAD has no body and so no words of its own; some servers give a code (`BadDigest`) and no words. */
function wordsOf(cause: unknown, status: number | undefined): string {
  const said = messageOf(cause).replace(/\.$/, '')
  if (status === 404 && !/bucket|key/i.test(said)) return 'there is no such bucket'
  if (!/unknown/i.test(said)) return said
  const code =
    cause instanceof Error && /^(?!Unknown)[A-Z][A-Za-z0-9]+$/.test(cause.name) ? cause.name : ''
  if (status === 403) return `the server denies access${code === '' ? '' : ` (${code})`}`
  if (code !== '') return code
  return status === undefined ? said : `the server answered with status ${status}`
}

/** Is the store away, and not only this request refused? */
export function isStorageAway(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'storage_down'
}

/** An object that the server fails on each time, while it answers others: it fails its image and nothing else. */
export function sickObject(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error
  const message = `${error.message} Others are stored at the same time.`
  return new StorageError('storage_failed', message, { cause: error })
}
