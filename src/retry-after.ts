/** Node's timers hold no more: 24 days. A longer wait would end at once. */
const LONGEST_WAIT_MS = 2 ** 31 - 1

/**
 * How long a 429 asks to wait, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else Django
 * REST Framework's sentence "Expected available in N seconds", else 1 s. Never shorter than asked.
 */
export function throttleMs(retryAfter: string | undefined, text: string, now = Date.now()): number {
  return Math.min(askedWaitMs(retryAfter, text, now), LONGEST_WAIT_MS)
}

function askedWaitMs(retryAfter: string | undefined, text: string, now: number): number {
  const header = retryAfter?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(header)) return Math.ceil(Number(header) * 1_000)
  const date = /[a-z]{3},? /i.test(header) ? Date.parse(header) : Number.NaN
  if (!Number.isNaN(date)) return Math.max(0, date - now)
  const seconds = /available in (\d+) second/.exec(text)?.[1]
  return seconds === undefined ? 1_000 : Number(seconds) * 1_000
}
