import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { getProxyForUrl } from 'proxy-from-env'
import { buildConnector, Client, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { systemCodeOf } from './errors.ts'
import { addressesOf, type Guard, RefusedTargetError } from './reach.ts'

/** Longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000

/** How connections are made. */
export interface Connecting {
  /** To one server at most; as many as there are requests when left out. */
  connections?: number
  /** Which are refused. It is asked about the very addresses that are connected to, so that no name can change meanwhile. */
  guard?: Guard
}

/**
 * The connections to the servers of images and to the API: kept alive, through HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
 * A request to what `guard` refuses fails with RefusedTargetError.
 * @param timeoutMs longest silence before the headers and between two pieces of the body
 */
export function createDispatcher(
  timeoutMs: number,
  { connections, guard = () => undefined }: Connecting = {},
): Dispatcher {
  const agent = new EnvHttpProxyAgent({
    connections: connections ?? null,
    connect: guardedConnect(guard),
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  return isProxied() ? agent.compose(lookedAtBefore(guard)) : agent
}

/** Connects to an address only when the guard has seen it. */
function guardedConnect(guard: Guard): buildConnector.connector {
  const connectBy = (protocol: string) =>
    buildConnector({
      timeout: CONNECT_TIMEOUT_MS,
      lookup: guardedLookup((hostname, address) => guard({ protocol, hostname, address })),
    })
  const connects = { plain: connectBy('http:'), secure: connectBy('https:') }
  return (options, callback) => {
    const { protocol } = options
    const hostname = withoutBrackets(options.hostname)
    // Node looks nothing up that is an address already.
    const why = isIP(hostname) === 0 ? undefined : guard({ protocol, hostname, address: hostname })
    if (why !== undefined)
      callback(new RefusedTargetError({ hostname, address: hostname }, why), null)
    else connects[protocol === 'https:' ? 'secure' : 'plain'](options, callback)
  }
}

/** Node's own lookup without the addresses that are refused. */
function guardedLookup(
  refuses: (hostname: string, address: string) => string | undefined,
): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const [first] = found ?? []
      if (error !== null || first === undefined) {
        callback(error, [])
        return
      }
      const open = found.filter(({ address }) => refuses(hostname, address) === undefined)
      const [usable] = open
      if (usable === undefined) {
        const why = refuses(hostname, first.address) ?? ''
        callback(new RefusedTargetError({ hostname, address: first.address }, why), [])
      } else if (options.all) callback(null, open)
      else callback(null, usable.address, usable.family)
    })
  }
}

/** Is there a proxy that makes connections instead? For which hosts, undici decides in a way of its own. */
function isProxied(): boolean {
  return ['http', 'https'].some((scheme) => getProxyForUrl(`${scheme}://host.invalid`) !== '')
}

/** Behind a proxy the sockets lead to that: what a request names is looked up and looked at here before it goes out. */
function lookedAtBefore(guard: Guard): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const { origin, protocol, hostname: written } = new URL(String(options.origin))
    const hostname = withoutBrackets(written)
    void addressesOf(hostname).then((addresses) => {
      const seen = addresses.length === 0 ? [undefined] : addresses
      for (const address of seen) {
        const why = guard({ protocol, hostname, address })
        if (why === undefined) continue
        const refused = new RefusedTargetError({ hostname, address }, why)
        const nowhere = new Client(origin, { connect: (_, callback) => callback(refused, null) })
        nowhere.dispatch(options, handler)
        return
      }
      dispatch(options, handler)
    })
    return true
  }
}

/** An IPv6 address stands in brackets in a URL. */
function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
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
  const { bytes, isWhole } = await readBeginning(body, maxBytes)
  if (!isWhole) throw new BodyTooLargeError(`more than ${maxBytes} bytes`)
  return bytes
}

/** The first `maxBytes` of a response's body; where there is more, the connection is given up. */
export async function readBeginning(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<{ bytes: Buffer<ArrayBuffer>; isWhole: boolean }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    chunks.push(chunk)
    if (size > maxBytes) break
  }
  const bytes = Buffer.concat(chunks, Math.min(size, maxBytes))
  return { bytes, isWhole: size <= maxBytes }
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
  if (thrown instanceof RefusedTargetError) return true
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
