import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { moment, span } from '../../src/time-schemas.ts'

beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-11-23T12:00:00Z'), toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const local = (text: string) => new Date(text).toISOString()

test.each([
  ['12h', 12 * 3_600_000],
  ['90d', 90 * 86_400_000],
  ['1.5d', 36 * 3_600_000],
  ['8w', 56 * 86_400_000],
  ['1y', 365 * 86_400_000],
])('%s is a time span', (text, ms) => {
  expect(span.parse(text)).toBe(ms)
})

test.each(['90', '6m', '3 months', '-1d', 'd', '', '1d2h'])('%j is no time span', (text) => {
  expect(span.safeParse(text).error?.issues[0]?.message).toContain('such as 12h, 90d')
})

test.each<[text: string, since: string, until: string]>([
  ['2026-11-01', local('2026-11-01T00:00'), local('2026-11-02T00:00')],
  ['2026-12-31', local('2026-12-31T00:00'), local('2027-01-01T00:00')],
  ['2026-11-01T08:30', local('2026-11-01T08:30'), local('2026-11-01T08:30')],
  ['2026-11-01 08:30', local('2026-11-01T08:30'), local('2026-11-01T08:30')],
  ['2026-11-01T08:30:15Z', '2026-11-01T08:30:15.000Z', '2026-11-01T08:30:15.000Z'],
  ['2026-11-01T08:30+02:00', '2026-11-01T06:30:00.000Z', '2026-11-01T06:30:00.000Z'],
  ['7d', '2026-11-16T12:00:00.000Z', '2026-11-16T12:00:00.000Z'],
])('%s is a moment, and a day as an end is its end', (text, since, until) => {
  expect(moment(false).parse(text).toISOString()).toBe(since)
  expect(moment(true).parse(text).toISOString()).toBe(until)
})

test.each(['yesterday', '2026-02-30', '2026-13-01', '11/01/2026', '2026-11-01T25:00', '20261101'])(
  '%s is no moment',
  (text) => {
    expect(moment(false).safeParse(text).error?.issues[0]?.message).toContain('must be a day')
  },
)
