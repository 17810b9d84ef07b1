import { S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { getProxyForUrl } from 'proxy-from-env'
import type { S3Settings } from '../config.ts'
import { messageOf } from '../errors.ts'
import { withoutSecrets } from '../secrets.ts'

/** Tries of the SDK for one request: network errors, throttling and 5xx, with its own backoff. */
const MAX_TRIES = 5
/** Milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 60_000

/** As `Authorization` and presigned links give it. */
const SIGNATURE = /(signature=)[0-9a-f]{64}/gi

/** How long the SDK's provider chain may take to find credentials, in milliseconds. */
const CREDENTIALS_TIMEOUT_MS = 10_000

/** A client for the bucket's server, through a proxy where the environment names one. */
export function createClient({ region, endpoint, credentials }: S3Settings): S3Client {
  const address = endpoint ?? `https://s3.${region}.amazonaws.com`
  const proxy = getProxyForUrl(address)
  const agents =
    proxy === ''
      ? {}
      : {
          httpAgent: new HttpProxyAgent(proxy),
          httpsAgent: new HttpsProxyAgent(proxy, { keepAlive: true }),
        }
  const client = new S3Client({
    region,
    maxAttempts: MAX_TRIES,
    // Requests without options of their own then share their stack of middleware, which takes long to put together.
    cacheMiddleware: true,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      ...agents,
    },
    ...(credentials !== undefined && { credentials }),
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
  })
  // A body is signed by its SHA-256, which the server holds it against: known here, it is not worked out once more.
  client.middlewareStack.add(
    (next) => (args) => {
      const { input, request } = args
      if ('Metadata' in input && input.Metadata?.['sha256'] !== undefined && hasHeaders(request)) {
        request.headers['x-amz-content-sha256'] = input.Metadata['sha256']
      }
      return next(args)
    },
    { step: 'build', name: 'signKnownSha256' },
  )
  // A server's complaint may repeat what it was asked with: the session token, the signature, what was signed.
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args)
      } catch (thrown) {
        const { secretAccessKey, sessionToken } = await client.config.credentials()
        hideIn(thrown, [secretAccessKey, sessionToken])
        throw thrown
      }
    },
    { step: 'initialize', priority: 'high', name: 'hideSecrets' },
  )
  return client
}

/** Of an error of the SDK's, its message and all the words of the server's that hang on it. */
function hideIn(thrown: unknown, secrets: readonly (string | undefined)[]): void {
  if (!(thrown instanceof S3ServiceException)) return
  for (const name of [...Object.keys(thrown), 'message', 'stack']) {
    const said: unknown = Reflect.get(thrown, name)
    if (typeof said !== 'string') continue
    const hidden = withoutSecrets(said, secrets).replace(SIGNATURE, '$1…')
    Reflect.set(thrown, name, name === 'SignatureProvided' ? '…' : hidden)
  }
}

function hasHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request
}

/**
 * What is wrong with the credentials that S3 would be used with; undefined when there are some. Asks the SDK's provider
 * chain (environment, profiles, SSO, container and instance roles), not S3.
 */
export async function missingCredentials(settings: S3Settings): Promise<string | undefined> {
  const client = createClient(settings)
  try {
    await withinTime(client.config.credentials())
    return undefined
  } catch (thrown) {
    return messageOf(thrown)
  } finally {
    client.destroy()
  }
}

async function withinTime<T>(found: Promise<T>): Promise<T> {
  const timeout = AbortSignal.timeout(CREDENTIALS_TIMEOUT_MS)
  const late = Promise.withResolvers<never>()
  timeout.addEventListener('abort', () => late.reject(timeout.reason), { once: true })
  return Promise.race([found, late.promise])
}

/** What was begun goes on, but nobody waits for it any longer when `signal` aborts. */
export async function orAborted<T>(begun: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([begun, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
