import { createHash } from 'node:crypto'
import { request } from 'undici'
import { z } from 'zod'
import { certificateHint } from './certificates.ts'
import type { ApiSettings } from './config.ts'
import { LookupError, messageOf } from './errors.ts'
import { createDispatcher, readBody } from './http.ts'
import { keyInClear } from './insecure-api.ts'
import { guardOfApi, RefusedTargetError } from './reach.ts'

/** What the API says about the account; asking costs no lookup. */
export interface Account {
  /** `GET /v1/statistics/` (cloud) or `GET /info/` (SDK). */
  kind: 'cloud' | 'sdk'
  /** Lookups used and allowed this period, where said. */
  used: number | undefined
  allowed: number | undefined
  /** When the period ends, as the API writes it. */
  resetsOn: string | undefined
  /** Of an SDK. */
  version: string | undefined
}

const TIMEOUT_MS = 10_000
const MAX_BYTES = 1_000_000

/** Both answers in one: `total_calls` is the allowance, `usage.calls` what was used. The licence key is not even read. */
const account = z
  .object({
    total_calls: z.number().optional().catch(undefined),
    usage: z
      .object({ calls: z.number().optional(), resets_on: z.string().optional() })
      .optional()
      .catch(undefined),
    version: z.string().optional().catch(undefined),
  })
  .refine((answer) => Object.values(answer).some((value) => value !== undefined))

/**
 * Asks the API about the account.
 * @throws {LookupError} `api_refused` for a wrong key, `api_unreachable` and the like
 */
export async function readAccount(api: ApiSettings, signal?: AbortSignal): Promise<Account> {
  // An SDK has no statistics; whether a host is one, only its answer can tell.
  const sdk = api.isCloud ? undefined : await get(api, '/info/', signal)
  if (sdk?.status === 200) return toAccount('sdk', sdk.text, api)
  const { status, text } = await get(api, '/v1/statistics/', signal)
  if (status === 401 || status === 403) {
    throw new LookupError('api_refused', `${hostOf(api)} refuses the API key (status ${status}).`, {
      status,
      hint:
        api.key === undefined
          ? 'Set PLATE_API_KEY.'
          : 'Check PLATE_API_KEY: copy the API token from app.platerecognizer.com.',
    })
  }
  if (status !== 200) {
    const hint = 'Check SNAPSHOT_API_URL: there seems to be no Snapshot API at this address.'
    throw new LookupError(
      'api_error',
      `${hostOf(api)} answered ${status} when asked about the account.`,
      { status, hint },
    )
  }
  return toAccount('cloud', text, api)
}

/** Why did the API refuse (403 stands for a wrong key and for no credits)? @returns the refusal with that said */
export async function explainRefusal(refusal: LookupError, api: ApiSettings): Promise<LookupError> {
  try {
    const { used, allowed, resetsOn } = await readAccount(api)
    if (used === undefined || allowed === undefined || used < allowed) return refusal
    const renewed = resetsOn === undefined ? '' : `; the next are there on ${resetsOn.slice(0, 10)}`
    const message = `No credits are left: ${used} of ${allowed} lookups are used${renewed}.`
    return new LookupError('api_refused', message, {
      status: refusal.status,
      hint: 'Wait until then or buy more at app.platerecognizer.com, then run the same list again.',
      cause: refusal,
    })
  } catch (thrown) {
    return thrown instanceof LookupError && thrown.code === 'api_refused' ? thrown : refusal
  }
}

async function get(
  api: ApiSettings,
  path: string,
  signal?: AbortSignal,
): Promise<{ status: number; text: string }> {
  const dispatcher = createDispatcher(TIMEOUT_MS, { guard: guardOfApi(api) })
  const url = new URL(api.url)
  url.pathname = url.pathname.replace(/\/v1\/plate-reader\/$/, path)
  try {
    const response = await request(url, {
      dispatcher,
      headers: {
        accept: 'application/json',
        ...(api.key !== undefined && { authorization: `Token ${api.key}` }),
      },
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
    })
    const text = (await readBody(response.body, MAX_BYTES)).toString('utf8')
    return { status: response.statusCode, text }
  } catch (cause) {
    if (cause instanceof RefusedTargetError) throw keyInClear(cause)
    throw new LookupError(
      'api_unreachable',
      `${hostOf(api)} cannot be reached: ${messageOf(cause)}.`,
      { cause, hint: certificateHint(cause) },
    )
  } finally {
    await dispatcher.destroy()
  }
}

function toAccount(kind: Account['kind'], text: string, api: ApiSettings): Account {
  try {
    const { total_calls: allowed, usage, version } = account.parse(JSON.parse(text))
    return { kind, allowed, used: usage?.calls, resetsOn: usage?.resets_on, version }
  } catch (cause) {
    const hint = 'Check SNAPSHOT_API_URL: something else answers at this address.'
    throw new LookupError('api_error', `${hostOf(api)} does not answer as the Snapshot API does.`, {
      cause,
      hint,
    })
  }
}

function hostOf({ url }: ApiSettings): string {
  return new URL(url).host
}

/** Which account's rate is spent: a digest of host and key, so that the key stands in no database. */
export function accountOf({ url, key }: ApiSettings): string {
  return createHash('sha256')
    .update(`${new URL(url).host}\n${key ?? ''}`)
    .digest('hex')
}
