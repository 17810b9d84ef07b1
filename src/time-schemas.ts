import { z } from 'zod'
import { LONGEST_LINK_S } from './config.ts'

/** The name of a time zone that this Node knows (IANA). */
export const timezone = z.string().refine(isTimezone, {
  error: 'must be the name of a time zone, such as Europe/Berlin or UTC.',
})

function isTimezone(name: string): boolean {
  try {
    return name !== '' && new Intl.DateTimeFormat('en', { timeZone: name }).format() !== ''
  } catch {
    return false
  }
}

/** A century: dates beyond are no dates of images. */
const LONGEST_SPAN_MS = 100 * 31_536_000_000
const UNIT_MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }

/** `90d` in milliseconds. No `m`: a purge that takes minutes for months would leave nothing. */
function durationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([hdwy])$/.exec(text.trim()) ?? []
  if (unit !== 'h' && unit !== 'd' && unit !== 'w' && unit !== 'y') return undefined
  const ms = Number(amount) * UNIT_MS[unit]
  return ms <= LONGEST_SPAN_MS ? ms : undefined
}

/** A time span, in milliseconds. */
export const span = z.string().transform((text, context) => {
  const ms = durationMs(text)
  if (ms !== undefined) return ms
  context.addIssue('must be a number of hours, days, weeks or years, such as 12h, 90d, 8w or 1y.')
  return z.NEVER
})

/** How long a link lives, in whole seconds: `3600` or a time span. */
export const linkLife = z.string().transform((text, context) => {
  const isSeconds = /^\d+$/.test(text.trim())
  const lifeS = Math.floor(isSeconds ? Number(text) : (durationMs(text) ?? 0) / 1_000)
  if (lifeS >= 1 && lifeS <= LONGEST_LINK_S) return lifeS
  context.addIssue(`must be from 1 to ${LONGEST_LINK_S} seconds, or a span such as 12h or 7d.`)
  return z.NEVER
})

/**
 * A moment: `2026-01-31` or `2026-01-31T08:30`, in this machine's time zone when none is written, or so long ago (`7d`).
 * @param dayEnds does a day without a time mean its end?
 */
export function moment(dayEnds: boolean) {
  return z.string().transform((text, context) => {
    const ago = durationMs(text)
    if (ago !== undefined) return new Date(Date.now() - ago)
    const [, day, time] = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d.*))?$/.exec(text.trim()) ?? []
    // Without a time JavaScript would take the day for one of UTC.
    const at = new Date(`${day}T${time ?? '00:00'}`)
    if (dayEnds && time === undefined) at.setDate(at.getDate() + 1)
    // 31 April would become 1 May.
    if (!Number.isNaN(at.getTime()) && isDay(day)) return at
    context.addIssue('must be a day (2026-01-31), a time (2026-01-31T08:30) or so long ago (7d).')
    return z.NEVER
  })
}

function isDay(day = ''): boolean {
  const at = new Date(`${day}T00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day)
}
