import { type Dispatcher, request } from 'undici'
import { certificateHint } from './certificates.ts'
import { FetchError, messageOf } from './errors.ts'
import type { ReadBytes } from './fetch-image.ts'
import { BodyTooLargeError, isTimeout, readBeginning, readBody } from './http.ts'
import { RefusedTargetError } from './reach.ts'
import type { FileOptions } from './read-file.ts'
import { LONGEST_REASON, mayTellWhy, refusalOf, requireCurrentLink } from './refused-link.ts'
import { conditionsFor, type SeenAs, seenUrl } from './seen-as.ts'
import { digestOf } from './sha256.ts'
import { decoded, redactSource, schemeOf } from './source.ts'

/** What fetching needs to know. Times in milliseconds; `timeoutMs` is for the whole request, body included. */
export interface FetchOptions extends FileOptions {
  /** Width times height, as the header of a picture tells them. */
  maxPixels: number
  timeoutMs: number
  dispatcher: Dispatcher
}

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * The bytes behind an http(s) URL, in one try, through at most 5 redirects; undefined when the server says that they are
 * as they were.
 * @throws {FetchError} `isTransient` when a server or the network failed
 */
export async function download(
  text: string,
  { maxBytes, timeoutMs, dispatcher }: FetchOptions,
  signal: AbortSignal,
  before: SeenAs | undefined,
): Promise<ReadBytes | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  let url = parseUrl(text)
  let authorization = takeCredentials(url)
  const shown = redactSource(text)
  requireCurrentLink(text, shown)
  const conditions = conditionsFor(before)
  const isConditional = Object.keys(conditions).length > 0
  try {
    for (let redirects = 0; ; redirects += 1) {
      const headers = {
        accept: 'image/*',
        ...conditions,
        ...(authorization && { authorization }),
      }
      const response = await request(url, { dispatcher, headers, signal: deadline })
      if (REDIRECTS.has(response.statusCode)) {
        await response.body.dump()
        if (redirects === MAX_REDIRECTS) {
          throw new FetchError(
            'too_many_redirects',
            `${shown} redirects more than ${MAX_REDIRECTS} times.`,
          )
        }
        const next = redirectTarget(url, response.headers['location'], shown)
        // Credentials of the line go to the host that the line names, and to no other.
        if (next.origin !== url.origin) authorization = undefined
        url = next
        continue
      }
      if (response.statusCode !== 200) {
        const { statusCode, body } = response
        const said = await reasonIn(body, statusCode)
        if (statusCode === 304 && isConditional) return undefined
        throw refusalOf(statusCode, text, shown, said)
      }
      const announced = Number(response.headers['content-length'] ?? Number.NaN)
      if (announced > maxBytes) {
        // Given up before its end a body reports that as an error, which nobody else listens for.
        response.body.on('error', () => {}).destroy()
        throw tooLarge(shown, announced, maxBytes)
      }
      const bytes = await readBody(response.body, maxBytes).catch((thrown) => {
        if (signal.aborted || isTimeout(thrown) || thrown instanceof BodyTooLargeError) throw thrown
        throw new FetchError('short_body', `${shown} broke off before all of it had come.`, {
          isTransient: true,
          cause: thrown,
        })
      })
      if (bytes.length < announced) throw shortBody(shown, bytes.length, announced)
      const modifiedAtMs = Date.parse(String(response.headers['last-modified'])) || undefined
      return {
        ...{ bytes, sha256: await digestOf(bytes) },
        ...{ seenAs: seenUrl(response.headers), modifiedAtMs },
      }
    }
  } catch (thrown) {
    signal.throwIfAborted()
    throw transferError(shown, thrown, { maxBytes, timeoutMs })
  }
}

function parseUrl(text: string): URL {
  const scheme = schemeOf(text)
  if (scheme !== 'http' && scheme !== 'https') {
    throw new FetchError(
      'unsupported_url',
      `${redactSource(text)} is not fetched: only paths and http(s) addresses are.`,
    )
  }
  if (!URL.canParse(text))
    throw new FetchError('bad_url', `${redactSource(text)} is not a valid address.`)
  return new URL(text)
}

/** Removes user name and password from the URL and gives them as an `Authorization` header (RFC 7617). */
function takeCredentials(url: URL): string | undefined {
  const { username, password } = url
  if (username === '' && password === '') return undefined
  url.username = ''
  url.password = ''
  const pair = `${decoded(username)}:${decoded(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function redirectTarget(from: URL, location: string | string[] | undefined, shown: string): URL {
  const target = Array.isArray(location) ? location[0] : location
  if (target === undefined || !URL.canParse(target, from.href)) {
    throw new FetchError('bad_redirect', `${shown} redirects without saying where to.`)
  }
  const url = new URL(target, from)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FetchError(
      'bad_redirect',
      `${shown} redirects to another kind of address (${url.protocol}).`,
    )
  }
  return url
}

/** The beginning of an answer that may tell why there is no image; of one that breaks off, nothing. */
async function reasonIn(body: Dispatcher.ResponseData['body'], status: number): Promise<string> {
  if (!mayTellWhy(status)) {
    await body.dump()
    return ''
  }
  // Given up before its end a body reports that as an error, which nobody else listens for.
  body.on('error', () => {})
  const { bytes } = await readBeginning(body, LONGEST_REASON).catch(() => ({ bytes: Buffer.of() }))
  return bytes.toString()
}

function transferError(
  shown: string,
  thrown: unknown,
  { maxBytes, timeoutMs }: { maxBytes: number; timeoutMs: number },
): FetchError {
  if (thrown instanceof FetchError) return thrown
  if (thrown instanceof BodyTooLargeError) return tooLarge(shown, undefined, maxBytes)
  if (thrown instanceof RefusedTargetError) {
    const message = `${shown} is not fetched: it leads to ${thrown.message}.`
    return new FetchError('address_refused', message, { cause: thrown })
  }
  const transient = { isTransient: true, cause: thrown }
  if (isTimeout(thrown)) {
    return new FetchError(
      'fetch_timeout',
      `${shown} did not arrive within ${timeoutMs / 1000} s.`,
      transient,
    )
  }
  const hint = certificateHint(thrown)
  return new FetchError(
    'fetch_unreachable',
    `${shown} could not be fetched: ${messageOf(thrown)}.`,
    // A certificate is the same the next time.
    { isTransient: hint === undefined, cause: thrown, hint },
  )
}

/** More bytes than there may be; `size` where it is known. */
export function tooLarge(shown: string, size: number | undefined, maxBytes: number): FetchError {
  const is = size === undefined ? 'has more' : `has ${size}`
  return new FetchError('too_large', `${shown} ${is} bytes; the limit is ${maxBytes}.`)
}

/** Fewer bytes than were announced. */
export function shortBody(shown: string, got: number, announced: number): FetchError {
  return new FetchError('short_body', `${shown} ended after ${got} of ${announced} bytes.`, {
    isTransient: true,
  })
}
