const MINUTE_S = 60
const HOUR_S = 3_600
const DAY_S = 86_400

/** `42 s`, `12 min`, `3.5 h`, `4.1 days`: as exactly as a guess deserves. */
export function timeLeft(seconds: number): string {
  if (seconds < 1.5 * MINUTE_S) return `${Math.ceil(seconds)} s`
  if (seconds < 1.5 * HOUR_S) return `${Math.round(seconds / MINUTE_S)} min`
  if (seconds < 2 * DAY_S) return `${(seconds / HOUR_S).toFixed(1)} h`
  return `${(seconds / DAY_S).toFixed(1)} days`
}
