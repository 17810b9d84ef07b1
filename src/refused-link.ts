import { FetchError } from './errors.ts'
import { endOfLink } from './link-end.ts'
import { timeLeft } from './time-left.ts'

/**
 * How long over a link's time must be for it to be refused unasked, in milliseconds: clocks differ by minutes, and within
 * them the server's decides.
 */
const CLOCKS_DIFFER_MS = 5 * 60_000

/**
 * A link whose time is over brings nothing: it is not asked for.
 * @param shown the link without its signature, for the message
 * @throws {FetchError} `link_expired`
 */
export function requireCurrentLink(link: string, shown: string): void {
  const end = endOfLink(link)
  const overMs = end === undefined ? 0 : Date.now() - end.getTime()
  if (end === undefined || overMs <= CLOCKS_DIFFER_MS) return
  const at = end.toISOString().replace('.000Z', 'Z')
  throw new FetchError(
    'link_expired',
    `The link to ${shown} expired ${timeLeft(overMs / 1_000)} ago, at ${at}; nothing was requested.`,
  )
}

/** So long is the beginning of an answer in which its reason is looked for, in bytes. */
export const LONGEST_REASON = 8_192

/** May an answer of this status tell why a link was refused? Google and Cloudflare say 400 of one whose time is over. */
export function mayTellWhy(status: number): boolean {
  return status === 400 || status === 401 || status === 403
}

/**
 * What an answer other than the image means.
 * @param link the line as it is written; `said` the beginning of what was answered, where that may tell why
 */
export function refusalOf(status: number, link: string, shown: string, said: string): FetchError {
  const message = `${shown} answered with status ${status}.`
  if (mayTellWhy(status)) {
    const end = endOfLink(link)
    // CloudFront says the same of every refusal: then the link's own time tells.
    if (toldTime(said) === 'over' || (end !== undefined && end.getTime() < Date.now())) {
      return new FetchError(
        'link_expired',
        `${shown} answered with status ${status}: the time of its link is over.`,
      )
    }
    if (toldTime(said) === 'off') {
      return new FetchError(
        'http_forbidden',
        `${shown} answered with status ${status}: its link does not fit the server's clock.`,
        { hint: 'Check the clock of the machine that makes the links, then run the list again.' },
      )
    }
  }
  if (status === 404 || status === 410) return new FetchError('http_not_found', message)
  if (status === 401 || status === 403) return new FetchError('http_forbidden', message)
  return new FetchError('http_error', message, {
    isTransient: status >= 500 || status === 429 || status === 408,
  })
}

/**
 * What the storage services' XML says of a link's time: over, or off, as one is whose time is still to come. S3 and its like `AccessDenied` with a message, `ExpiredToken` of
 * temporary credentials; Google `ExpiredToken`; Cloudflare `ExpiredRequest`; Azure `AuthenticationFailed` with a detail
 * that names the times.
 */
function toldTime(said: string): 'over' | 'off' | undefined {
  const code = /<Code>\s*(\w+)/.exec(said)?.[1] ?? ''
  if (code === 'ExpiredToken' || code === 'ExpiredRequest') return 'over'
  if (code === 'RequestTimeTooSkewed') return 'off'
  if (code === 'AccessDenied') {
    if (/<Message>\s*Request has expired/i.test(said)) return 'over'
    return /<Message>\s*Request is not (yet valid|valid yet)/i.test(said) ? 'off' : undefined
  }
  if (code !== 'AuthenticationFailed') return undefined
  if (/Signed expiry time \[[^\]]*\] (must|has to) be after/i.test(said)) return 'over'
  if (!/Signature not valid in the specified (key )?time frame/i.test(said)) return undefined
  const [expiry, current] = [timeOf('expiry', said), timeOf('current', said)]
  return current < expiry ? 'off' : 'over'
}

/** `Expiry [Thu, 09 Jul 2026 18:11:03 GMT]` */
function timeOf(name: string, said: string): number {
  const found = new RegExp(`${name} \\[([^\\]]*)\\]`, 'i').exec(said)
  return Date.parse(found?.[1] ?? '')
}
