import { refusalWithDetail } from './refusal.ts'
import { flavorOf, type Session, usageOf } from './session.ts'

/**
 * Who asks. Throws a `Refusal` with 403, as DRF does when its first authenticator has no challenge
 * header (a wrong token: sample 40). The SDK asks nobody.
 */
export function authenticate(session: Session, authorization: string | undefined): void {
  if (flavorOf(session) === 'sdk') return
  if (authorization === undefined) {
    throw refusalWithDetail(403, 'Authentication credentials were not provided.')
  }
  const token = /^Token (\S+)$/.exec(authorization)?.[1]
  if (token === undefined || token !== (session.switches.token ?? token)) {
    throw refusalWithDetail(403, 'Invalid token.')
  }
}

/** Whether a call is left. Throws a `Refusal` with 403; the real sentence was never published. */
export function checkAllowance(session: Session): void {
  const { calls, maxCalls } = usageOf(session)
  if (calls >= maxCalls) {
    throw refusalWithDetail(403, `You have used all ${maxCalls} lookups of your plan.`)
  }
}

/** Whether it comes too soon. Throws a `Refusal` with 429 (sample 41), the wait told as configured. */
export function checkRate({ throttle, switches }: Session): void {
  const waitMs = throttle(performance.now())
  if (waitMs === 0) return

  const { retryAfter = 'both' } = switches
  const seconds = Math.ceil(waitMs / 1000)
  const unit = seconds === 1 ? 'second' : 'seconds'
  const isSaid = retryAfter === 'sentence' || retryAfter === 'both'
  const isInHeader = retryAfter === 'header' || retryAfter === 'both'
  throw refusalWithDetail(
    429,
    `Request was throttled.${isSaid ? ` Expected available in ${seconds} ${unit}.` : ''}`,
    isInHeader ? { 'retry-after': String(seconds) } : {},
  )
}
