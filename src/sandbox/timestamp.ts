import { fieldRefusal } from './refusal.ts'

const ISO_8601 =
  /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.(?<fraction>\d{1,6})\d*)?)?(?:Z|[+-]\d\d:?\d\d)?$/

/**
 * A client's `timestamp` as `YYYY-MM-DDTHH:MM:SS[.ffffff]` in UTC without a zone. One without a
 * zone is taken as UTC, as documented; what the API does with an offset is not known, so it is
 * obeyed. Throws a `Refusal` (400, with DRF's sentence) for anything else.
 */
export function parseTimestamp(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  const match = ISO_8601.exec(text)
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(text.slice('YYYY-MM-DD'.length))
  const ms = Date.parse(`${text.replace(' ', 'T')}${hasZone ? '' : 'Z'}`)
  if (match === null || Number.isNaN(ms)) {
    throw fieldRefusal(
      'timestamp',
      'Datetime has wrong format. Use one of these formats instead: ' +
        'YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].',
    )
  }
  // Python's isoformat: six digits of fraction, or none when they are all 0 (samples 02 and 04).
  const microseconds = Number((match.groups?.['fraction'] ?? '').padEnd(6, '0'))
  return toSecond(ms) + (microseconds === 0 ? '' : `.${String(microseconds).padStart(6, '0')}`)
}

/** The present in the same form, always with microseconds. */
export function nowUtc(): string {
  const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1000)
  const fraction = String(microseconds % 1_000_000).padStart(6, '0')
  return `${toSecond(microseconds / 1000)}.${fraction}`
}

/** Such as `2023-10-10T13:22:41.178728Z`. */
export function cloudTimestamp(utc: string): string {
  return `${utc}Z`
}

/** Such as `2025-01-31 09:54:50.792060`: the container's clock, its zone not told. */
export function sdkTimestamp(utc: string): string {
  return utc.replace('T', ' ')
}

function toSecond(ms: number): string {
  return new Date(ms).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)
}
