import { readSettings } from './config.ts'
import { ConfigError, LookupError } from './errors.ts'
import { createDispatcher } from './http.ts'
import { createBudget, type LostAnswer, lookUpPlatesBy } from './look-up-plates.ts'
import { type LookupSubject, type Question, sendLookup } from './lookup.ts'
import { normalize, type Snapshot } from './normalize.ts'
import { createPace } from './pace.ts'
import { guardOfApi } from './reach.ts'
import { readResponse } from './response.ts'
import { LOOKUP_POLICY } from './retry.ts'
import { sha256Of } from './sha256.ts'
import { redactSource } from './source.ts'
import { isoOf } from './zoned-time.ts'

/** What is looked up: bytes, or an address that the cloud fetches itself (`upload_url`). */
export type LookupInput =
  | { bytes: Uint8Array; mime?: string; source?: string }
  | { imageUrl: string }

/** Where a lookup goes and what it asks; what is left out is as in the README's tables. */
export interface LookupParameters extends Partial<Question> {
  /** When the image was taken; the answer repeats it. */
  capturedAt?: Date
  /** `https://api.platerecognizer.com/v1/plate-reader/` when left out. */
  apiUrl?: string
  apiKey?: string
  /** The key may go unencrypted to a host of the internet; false when left out. */
  allowInsecureApi?: boolean
  timeoutMs?: number
  /** Further attempts after a failed one. */
  retries?: number
  lostAnswer?: LostAnswer
  signal?: AbortSignal
}

/** An answer as the API sent it; `uncertain` of the requests sent may have been billed without an answer. */
export interface LookupOutput {
  response: unknown
  /** What had to be replaced in it so that a database can keep it; mostly nothing. */
  mended: readonly string[]
  attempts: number
  uncertain: number
}

/**
 * One lookup, which costs money: tried again with backoff, 429s waited out as long as the API says.
 * @throws {LookupError} when it failed for good; {ConfigError} for a missing key or a wrong address; {RangeError} for a date that is none
 */
export async function sendRequestWithRetry(
  input: LookupInput,
  {
    apiUrl,
    apiKey,
    allowInsecureApi = false,
    timeoutMs = 60_000,
    retries = 5,
    lostAnswer = 'once',
    ...rest
  }: LookupParameters = {},
): Promise<LookupOutput> {
  const {
    regions = [],
    mmc = false,
    cameraId,
    engineConfig,
    capturedAt,
    signal = new AbortController().signal,
  } = rest
  const env = { SNAPSHOT_API_URL: apiUrl, PLATE_API_KEY: apiKey }
  const subject = { ...subjectOf(input), capturedAt: capturedAt && isoOf(capturedAt.getTime()) }
  const read = readSettings(env, { api: true, storage: false, allowInsecureApi })
  if ('problems' in read) throw new ConfigError(read.problems)
  const dispatcher = createDispatcher(timeoutMs, { guard: guardOfApi(read.settings.api) })
  const access = { ...read.settings.api, timeoutMs, dispatcher }
  const lookUp = lookUpPlatesBy<LookupSubject>({
    send: (subject, end) =>
      sendLookup(subject, { regions, mmc, cameraId, engineConfig }, access, end),
    pace: createPace(0),
    budget: createBudget(undefined),
    policy: { ...LOOKUP_POLICY, retries },
    lostAnswer,
  })
  try {
    const { response, attempts, uncertain } = await lookUp(subject, {
      stop: signal,
      end: signal,
    })
    return { response: response.raw, mended: response.noted.mended, attempts, uncertain }
  } finally {
    await dispatcher.destroy()
  }
}

function subjectOf(input: LookupInput): LookupSubject {
  if ('imageUrl' in input) return { imageUrl: input.imageUrl, source: redactSource(input.imageUrl) }
  const { bytes, mime = 'application/octet-stream', source = sha256Of(bytes) } = input
  return { bytes, mime, source }
}

/**
 * Turns an answer, of either result shape, into its readings with our names.
 * @param response the JSON of an answer, such as `raw_response` of a row
 * @throws {LookupError} when it holds no results
 */
export function parseAndNormalizeResponse(response: unknown): Snapshot {
  const read = readResponse(response)
  if (read === undefined) {
    const hint = 'Give the JSON object that the API answered a lookup with.'
    throw new LookupError('api_rejected', 'This is no answer to a lookup: it has no results.', {
      hint,
    })
  }
  return normalize(read)
}
