/** `2026-01-31 23:59:59 +01:00`: this machine's time, with its distance from UTC. */
export function localTime(at: Date): string {
  const minutes = -at.getTimezoneOffset()
  const local = new Date(at.getTime() + minutes * 60_000).toISOString()
  const distance = new Date(Math.abs(minutes) * 60_000).toISOString().slice(11, 16)
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${minutes < 0 ? '-' : '+'}${distance}`
}

/** The system's time zone (IANA name); Node knows none where TZ names one that does not exist. */
export function localZone(): string {
  const { timeZone }: { timeZone?: string } = new Intl.DateTimeFormat().resolvedOptions()
  return timeZone ?? 'UTC'
}
