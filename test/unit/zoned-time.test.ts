import { expect, test } from 'vitest'
import { momentOf, offsetMinutes } from '../../src/zoned-time.ts'

function utcOf(text: string, zone: string | number): string | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text
    .split(/\D/)
    .map(Number)
  const moment = momentOf({ year, month, day, hour, minute, second, ms: 0 }, zone)
  return moment === undefined ? undefined : new Date(moment).toISOString().slice(0, 19)
}

test.each<[shown: string, zone: string, utc: string | undefined]>([
  ['2026-01-31 12:00:00', 'UTC', '2026-01-31T12:00:00'],
  ['2026-01-31 12:00:00', 'Europe/Berlin', '2026-01-31T11:00:00'],
  ['2026-07-31 12:00:00', 'Europe/Berlin', '2026-07-31T10:00:00'],
  ['2026-07-31 12:00:00', 'America/New_York', '2026-07-31T16:00:00'],
  ['2026-07-31 12:00:00', 'Asia/Kathmandu', '2026-07-31T06:15:00'],
  ['2026-01-31 12:00:00', 'Australia/Lord_Howe', '2026-01-31T01:00:00'],
  ['2026-01-01 00:30:00', 'Pacific/Kiritimati', '2025-12-31T10:30:00'],
  // Clocks go forward at 02:00: what none shows is read as if they had not yet
  ['2026-03-29 01:59:59', 'Europe/Berlin', '2026-03-29T00:59:59'],
  ['2026-03-29 02:30:00', 'Europe/Berlin', '2026-03-29T01:30:00'],
  ['2026-03-29 03:00:00', 'Europe/Berlin', '2026-03-29T01:00:00'],
  ['2026-03-08 02:30:00', 'America/New_York', '2026-03-08T07:30:00'],
  // Clocks go back at 03:00: the hour that comes twice is its first coming
  ['2026-10-25 01:59:59', 'Europe/Berlin', '2026-10-24T23:59:59'],
  ['2026-10-25 02:30:00', 'Europe/Berlin', '2026-10-25T00:30:00'],
  ['2026-10-25 03:00:00', 'Europe/Berlin', '2026-10-25T02:00:00'],
  ['2026-11-01 01:30:00', 'America/New_York', '2026-11-01T05:30:00'],
  // Half an hour only, and in the other half of the year
  ['2026-04-05 01:45:00', 'Australia/Lord_Howe', '2026-04-04T14:45:00'],
  // A zone that skipped a day
  ['2011-12-29 12:00:00', 'Pacific/Apia', '2011-12-29T22:00:00'],
  ['2011-12-31 12:00:00', 'Pacific/Apia', '2011-12-30T22:00:00'],
  ['2026-01-31 24:00:00', 'UTC', '2026-02-01T00:00:00'],
  ['2024-02-29 00:00:00', 'UTC', '2024-02-29T00:00:00'],
  ['2026-02-29 00:00:00', 'UTC', undefined],
  ['2026-13-01 00:00:00', 'UTC', undefined],
  ['2026-00-10 00:00:00', 'UTC', undefined],
  ['2026-01-00 00:00:00', 'UTC', undefined],
  ['2026-01-31 24:00:01', 'UTC', undefined],
  ['2026-01-31 12:60:00', 'UTC', undefined],
  ['2026-01-31 12:00:60', 'UTC', undefined],
])('clocks showing %s in %s', (shown, zone, utc) => {
  expect(utcOf(shown, zone)).toBe(utc)
})

test.each<[text: string, minutes: number | undefined]>([
  ['Z', 0],
  ['+00:00', 0],
  ['+05:45', 345],
  ['-0530', -330],
  [' +01:00 ', 60],
  ['+14:00', 840],
  ['+16:00', undefined],
  ['+01:60', undefined],
  ['   :  ', undefined],
  ['1', undefined],
  ['', undefined],
])('the offset %j', (text, minutes) => {
  expect(offsetMinutes(text)).toBe(minutes)
  if (minutes !== undefined) {
    const noon = { year: 2026, month: 1, day: 31, hour: 12, minute: 0, second: 0, ms: 0 }
    expect(momentOf(noon, minutes)).toBe(Date.UTC(2026, 0, 31, 12) - minutes * 60_000)
  }
})
