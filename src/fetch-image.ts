import { createHash } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import { fileTypeFromBuffer } from 'file-type'
import { type Dispatcher, request } from 'undici'
import { FetchError, messageOf, systemCodeOf } from './errors.ts'
import { BodyTooLargeError, isTimeout, readBody } from './http.ts'
import { redactSource, schemeOf } from './source.ts'

/** The bytes of one image, whole and seen to be an image. */
export interface FetchedImage {
  /** Where it came from, without credentials and signatures. */
  source: string
  bytes: Buffer
  /** Found from the bytes, not from the name: `image/jpeg`, … */
  mime: string
  /** File name ending for the type, without a dot: `jpg`, … */
  extension: string
  /** In bytes. */
  size: number
  /** Of the bytes, lower-case hex. */
  sha256: string
}

/** What fetching needs to know. Times in milliseconds; `timeoutMs` is for the whole request, body included. */
export interface FetchOptions {
  maxBytes: number
  timeoutMs: number
  dispatcher: Dispatcher
}

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** `image/apng` is a PNG with more pictures than one. */
const IMAGE_TYPES = new Map([
  ['image/jpeg', 'image/jpeg'],
  ['image/png', 'image/png'],
  ['image/apng', 'image/png'],
  ['image/webp', 'image/webp'],
  ['image/gif', 'image/gif'],
  ['image/bmp', 'image/bmp'],
  ['image/tiff', 'image/tiff'],
])

/**
 * One try at fetching a line of the images file: a local path or an http(s) URL.
 * @param text the line as written, secrets included; messages name it without them
 * @throws {FetchError} `isTransient` when a server or the network failed and another try may go well
 */
export async function fetchImage(
  text: string,
  { maxBytes, timeoutMs, dispatcher }: FetchOptions,
  signal: AbortSignal,
): Promise<FetchedImage> {
  const source = redactSource(text)
  const scheme = schemeOf(text)
  const bytes =
    scheme === undefined
      ? await readFile(text, maxBytes)
      : await download(text, { maxBytes, timeoutMs, dispatcher }, signal)
  if (bytes.length === 0) throw new FetchError('empty_image', `${source} is empty.`)
  return {
    source,
    bytes,
    size: bytes.length,
    sha256: sha256Of(bytes),
    ...(await typeOf(bytes, source)),
  }
}

/** SHA-256 of some bytes in lower-case hex. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function typeOf(bytes: Buffer, source: string): Promise<{ mime: string; extension: string }> {
  const type = await fileTypeFromBuffer(bytes)
  const mime = IMAGE_TYPES.get(type?.mime ?? '')
  if (type === undefined || mime === undefined) {
    throw new FetchError(
      'not_an_image',
      `${source} is not an image: ${describe(type?.mime, bytes)}.`,
    )
  }
  return { mime, extension: mime === 'image/png' ? 'png' : type.ext }
}

function describe(mime: string | undefined, bytes: Buffer): string {
  if (mime !== undefined) return `its bytes are ${mime}`
  const start = bytes.toString('utf8', 0, 256).trimStart().toLowerCase()
  if (start.startsWith('<!doctype html') || start.startsWith('<html'))
    return 'its bytes are an HTML page'
  if (start.startsWith('<svg')) return 'its bytes are an SVG drawing'
  return 'its bytes are of no known image type'
}

async function readFile(path: string, maxBytes: number): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer, if need be for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const info = await file.stat()
      if (!info.isFile()) throw new FetchError('not_a_file', `${path} is not a file.`)
      if (info.size > maxBytes) throw tooLarge(path, info.size, maxBytes)
      const bytes = await readBody(file.createReadStream({ autoClose: false }), maxBytes)
      if (bytes.length < info.size) throw shortBody(path, bytes.length, info.size)
      return bytes
    } finally {
      await file.close()
    }
  } catch (thrown) {
    throw fileError(path, thrown, maxBytes)
  }
}

function fileError(path: string, thrown: unknown, maxBytes: number): FetchError {
  if (thrown instanceof FetchError) return thrown
  if (thrown instanceof BodyTooLargeError) return tooLarge(path, undefined, maxBytes)
  const code = systemCodeOf(thrown)
  const cause = { cause: thrown }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new FetchError('file_not_found', `${path} does not exist.`, cause)
  }
  if (code === 'EISDIR') return new FetchError('not_a_file', `${path} is a folder.`, cause)
  return new FetchError('file_unreadable', `${path} cannot be read: ${messageOf(thrown)}.`, cause)
}

async function download(
  text: string,
  { maxBytes, timeoutMs, dispatcher }: FetchOptions,
  signal: AbortSignal,
): Promise<Buffer> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  let url = parseUrl(text)
  let authorization = takeCredentials(url)
  const shown = redactSource(text)
  try {
    for (let redirects = 0; ; redirects += 1) {
      const headers = { accept: 'image/*', ...(authorization && { authorization }) }
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
        await response.body.dump()
        throw statusError(response.statusCode, shown)
      }
      const announced = Number(response.headers['content-length'] ?? Number.NaN)
      if (announced > maxBytes) {
        // Given up before its end a body reports that as an error, which nobody else listens for.
        response.body.on('error', () => {}).destroy()
        throw tooLarge(shown, announced, maxBytes)
      }
      const bytes = await readBody(response.body, maxBytes)
      if (bytes.length < announced) throw shortBody(shown, bytes.length, announced)
      return bytes
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
      `${redactSource(text)} is a ${scheme}: address, which is not fetched.`,
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

/** Percent-encoding undone; text that is not percent-encoded in full is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function redirectTarget(from: URL, location: string | string[] | undefined, shown: string): URL {
  const target = Array.isArray(location) ? location[0] : location
  if (target === undefined || !URL.canParse(target, from.href)) {
    throw new FetchError('bad_redirect', `${shown} redirects without saying where to.`)
  }
  const url = new URL(target, from)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FetchError('bad_redirect', `${shown} redirects to a ${url.protocol} address.`)
  }
  return url
}

function statusError(status: number, shown: string): FetchError {
  const message = `${shown} answered with status ${status}.`
  if (status === 404 || status === 410) return new FetchError('http_not_found', message)
  if (status === 401 || status === 403) return new FetchError('http_forbidden', message)
  return new FetchError('http_error', message, { isTransient: status >= 500 || status === 429 })
}

function transferError(
  shown: string,
  thrown: unknown,
  { maxBytes, timeoutMs }: { maxBytes: number; timeoutMs: number },
): FetchError {
  if (thrown instanceof FetchError) return thrown
  if (thrown instanceof BodyTooLargeError) return tooLarge(shown, undefined, maxBytes)
  const transient = { isTransient: true, cause: thrown }
  if (isTimeout(thrown)) {
    return new FetchError(
      'fetch_timeout',
      `${shown} did not arrive within ${timeoutMs / 1000} s.`,
      transient,
    )
  }
  const code = systemCodeOf(thrown)
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return new FetchError('short_body', `${shown} ended before all of it had come.`, transient)
  }
  return new FetchError(
    'fetch_unreachable',
    `${shown} could not be fetched: ${messageOf(thrown)}.`,
    transient,
  )
}

function tooLarge(shown: string, size: number | undefined, maxBytes: number): FetchError {
  const is = size === undefined ? 'has more' : `has ${size}`
  return new FetchError('too_large', `${shown} ${is} bytes; the limit is ${maxBytes}.`)
}

function shortBody(shown: string, got: number, announced: number): FetchError {
  return new FetchError('short_body', `${shown} ended after ${got} of ${announced} bytes.`, {
    isTransient: true,
  })
}
