import { type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { systemCodeOf } from './errors.ts'

/** Longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * The connections to the servers of images and to the API: kept alive, through HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
 * @param timeoutMs longest silence before the headers and between two pieces of the body
 * @param connections to one server at most; as many as there are requests when left out
 */
export function createDispatcher(timeoutMs: number, connections?: number): Dispatcher {
  return new EnvHttpProxyAgent({
    connections: connections ?? null,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
}

/** Thrown by `readBody` for a body longer than it may be. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
}

/**
 * A response's body, whole, never holding more than `maxBytes` of it.
 * @throws {BodyTooLargeError} as soon as there is more, with the connection given up
 */
export async function readBody(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw new BodyTooLargeError(`more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** Did the request end because nothing came in time (undici's own limits, or `AbortSignal.timeout`)? */
export function isTimeout(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    /^(TimeoutError|(Headers|Body|Connect)TimeoutError)$/.test(thrown.name)
  )
}

/** Errors of the time before a connection stood: the request certainly never left. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * Is it certain that nothing of the request reached the server? A certificate is refused before the request; the same
 * system codes from reading an answer say nothing.
 */
export function neverLeft(thrown: unknown): boolean {
  const code = systemCodeOf(thrown) ?? ''
  if (/CERT|SELF_SIGNED|UNABLE_TO_|WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL/.test(code))
    return true
  return NEVER_SENT.has(code) && !isFromReading(thrown)
}

/** Node names the system call that failed: `connect`, `getaddrinfo`, `read`, `write`. */
function isFromReading(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('syscall' in error) return error.syscall === 'read' || error.syscall === 'write'
  }
  return false
}
