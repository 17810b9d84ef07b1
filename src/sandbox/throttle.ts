/** Logs and admits a request at `nowMs`, answering 0, or answers the milliseconds it must wait. */
export type Throttle = (nowMs: number) => number

/**
 * A sliding log of admitted requests, as Django REST Framework's `SimpleRateThrottle` keeps one: at
 * most `lookupsPerSecond` in any rolling second, and a refused request does not push the window
 * back (seen in the field: ljmerza/frigate_plate_recognizer issue 2). A rate below 1 is one request
 * in a window of more than a second. No rate admits everything.
 */
export function slidingThrottle(lookupsPerSecond: number | undefined): Throttle {
  if (lookupsPerSecond === undefined || lookupsPerSecond <= 0) return () => 0

  const most = Math.max(1, Math.floor(lookupsPerSecond))
  const windowMs = (most / lookupsPerSecond) * 1000
  // Only the last `most` admissions matter, so a ring of that size is the whole log.
  const admitted = new Float64Array(most).fill(Number.NEGATIVE_INFINITY)
  let oldest = 0

  return (nowMs) => {
    const sinceOldest = nowMs - (admitted[oldest] ?? Number.NEGATIVE_INFINITY)
    if (sinceOldest < windowMs) return windowMs - sinceOldest
    admitted[oldest] = nowMs
    oldest = (oldest + 1) % most
    return 0
  }
}
