import { type Dispatcher, request } from 'undici'
import { certificateHint } from './certificates.ts'
import { LookupError, messageOf } from './errors.ts'
import { isTimeout, neverLeft, readBeginning } from './http.ts'
import { keyInClear } from './insecure-api.ts'
import { encodeForm } from './lookup-form.ts'
import { RefusedTargetError } from './reach.ts'
import { type LookupResponse, parseResponse } from './response.ts'
import { throttleMs } from './retry-after.ts'
import { withoutSecrets } from './secrets.ts'
import { secretPartsOf } from './source.ts'

/** What is asked about every image of a run. It decides what the answer holds, so the ledger keeps it. */
export interface Question {
  /** Region hints, one form field each. */
  regions: readonly string[]
  cameraId?: string | undefined
  /** Make, model, color, orientation: a paid add-on. */
  mmc: boolean
  /** The API's engine configuration, sent as JSON text in `config`. */
  engineConfig?: Readonly<Record<string, unknown>> | undefined
}

/** Where lookups go. `timeoutMs` is for the whole request, body and answer included. */
export interface ApiAccess {
  /** Full address, ending in `/v1/plate-reader/`. */
  url: string
  key: string | undefined
  timeoutMs: number
  dispatcher: Dispatcher
}

/** What a lookup is about: the bytes, or an address that the API fetches itself (`upload_url`, cloud only). */
export type LookupSubject =
  | ({ bytes: Uint8Array; mime: string; source: string } & Taken)
  | ({ imageUrl: string; source: string } & Taken)

/** When an image was taken, in ISO 8601 and UTC: the answer repeats it; left out, it tells when the API got the image. */
interface Taken {
  capturedAt?: string | undefined
}

const MAX_ANSWER_BYTES = 10_000_000
/** How much of an answer that is none is looked at; secrets are taken out of more, so that no half of one stays. */
const READ_OF_NONE = 10_000
const SEARCHED_FOR_SECRETS = 100_000
/** How much of an answer that could not be read is kept. */
const KEPT_BODY = 2_000

/**
 * One attempt at a lookup: one request, which may be billed.
 * @returns the answer as the API sent it, seen to have results
 * @throws {LookupError} with what is known about billing and about trying again
 */
export async function sendLookup(
  subject: LookupSubject,
  question: Question,
  { url, key, timeoutMs, dispatcher }: ApiAccess,
  signal: AbortSignal,
): Promise<LookupResponse> {
  const { parts, contentType } = encodeForm(subject, question)
  const { source } = subject
  try {
    const response = await request(url, {
      method: 'POST',
      dispatcher,
      // @ts-expect-error: undici takes iterables of bytes (its lib/core/request.js); its types do not tell.
      body: parts,
      headers: {
        'content-type': contentType,
        'content-length': String(parts.reduce((sum, { length }) => sum + length, 0)),
        accept: 'application/json',
        ...(key !== undefined && { authorization: `Token ${key}` }),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    const { statusCode: status, headers } = response
    const { bytes, isWhole } = await readBeginning(response.body, MAX_ANSWER_BYTES)
    // An answer may repeat what it was asked with, a link to an image included.
    const secrets = [key, ...linkSecrets(subject)]
    const said = () => beginningOf(bytes, secrets)
    if (status < 200 || status > 299) {
      throw refusal(source, status, said(), headers['retry-after'])
    }
    if (!isWhole) throw tooLarge(source, status, said())
    return readAnswer(bytes, secrets) ?? unreadable(source, status, said())
  } catch (thrown) {
    throw transportError(source, thrown, timeoutMs)
  }
}

/** The beginning of an answer that is none, without secrets. */
function beginningOf(bytes: Buffer, secrets: readonly (string | undefined)[]): string {
  const text = bytes.subarray(0, SEARCHED_FOR_SECRETS).toString('utf8')
  return withoutSecrets(text, secrets).slice(0, READ_OF_NONE)
}

/** An answer without secrets. It is paid for: what is no JSON any more without them is taken as it came. */
function readAnswer(
  bytes: Buffer,
  secrets: readonly (string | undefined)[],
): LookupResponse | undefined {
  const text = bytes.toString('utf8')
  const said = withoutSecrets(text, secrets)
  const clean = said === text ? undefined : parseResponse(Buffer.from(said))
  return clean ?? parseResponse(bytes)
}

/** What is secret about the link that the API is to fetch. */
function linkSecrets(subject: LookupSubject): string[] {
  return 'imageUrl' in subject ? secretPartsOf(subject.imageUrl) : []
}

/** An answer with a status that is no success, as an error. Bodies may be JSON, text or HTML. */
function refusal(
  source: string,
  status: number,
  text: string,
  retryAfter: string | string[] | undefined,
): LookupError {
  const said = `${source}: the API answered ${status}: ${gist(text)}`
  if (status === 429) {
    const throttledForMs = throttleMs(Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, text)
    return new LookupError('api_error', said, { status, isRetryable: true, throttledForMs })
  }
  if (status === 401 || status === 402 || status === 403) {
    return new LookupError('api_refused', said, { status, isForAccount: true })
  }
  if (status === 404 || status === 405 || status < 400) {
    const hint = 'Check SNAPSHOT_API_URL: there seems to be no Snapshot API at this address.'
    return new LookupError('api_refused', said, { status, hint })
  }
  if (status === 413 || /upload-limit|invalid file/i.test(text)) {
    return new LookupError('api_too_large', said, { status })
  }
  if (status === 415) return new LookupError('api_unsupported', said, { status })
  if (status >= 500) {
    return new LookupError('api_error', said, { status, isRetryable: true, isForWantOfApi: true })
  }
  return new LookupError('api_rejected', said, { status })
}

/** Probably billed, but more than is kept. To ask again would bring the same, and be billed again. */
function tooLarge(source: string, status: number, text: string): LookupError {
  return new LookupError(
    'answer_too_large',
    `${source}: the API's answer has more than ${MAX_ANSWER_BYTES / 1e6} MB, and was not read.`,
    { status, isUncertain: true, body: text.slice(0, KEPT_BODY) },
  )
}

/** Success by status, but no answer in it: probably billed all the same. */
function unreadable(source: string, status: number, text: string): never {
  throw new LookupError(
    'answer_lost',
    `${source}: the API answered ${status} without results: ${gist(text)}`,
    {
      status,
      isRetryable: true,
      isUncertain: true,
      isForWantOfApi: true,
      body: text.slice(0, KEPT_BODY),
    },
  )
}

function transportError(source: string, thrown: unknown, timeoutMs: number): LookupError {
  if (thrown instanceof LookupError) return thrown
  if (thrown instanceof RefusedTargetError) return keyInClear(thrown)
  const hint = certificateHint(thrown)
  // A certificate is the same the next time.
  const known = { isRetryable: hint === undefined, isForWantOfApi: true, cause: thrown, hint }
  if (neverLeft(thrown)) {
    return new LookupError(
      'api_unreachable',
      `${source}: the API cannot be reached: ${messageOf(thrown)}`,
      known,
    )
  }
  const why = isTimeout(thrown) ? `no answer within ${timeoutMs / 1000} s` : messageOf(thrown)
  const lost = { ...known, isUncertain: true }
  return new LookupError('answer_lost', `${source}: the API's answer was lost: ${why}`, lost)
}

/** The API's own words in one short line: its `detail` or `error`, else the beginning of the text. */
function gist(text: string): string {
  const words =
    /"(?:detail|error)"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.replace(/<[^>]*>/g, ' ')
  const line = words.replace(/\s+/g, ' ').trim().slice(0, 200)
  return line === '' ? '(empty body)' : line
}
