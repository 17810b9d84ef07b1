import { expect, test } from 'vitest'
import { endOf, type Step, type Unit } from '../../src/report/over-time.ts'
import { timeTicks } from '../../src/report/time-axis.ts'

/** So many steps from there on. */
function stepsFrom(start: string, unit: Unit, count: number): Step[] {
  const steps: Step[] = []
  for (let at = start; steps.length < count; ) {
    steps.push({ start: at, images: 0, plates: 0 })
    at = endOf({ start: at }, unit).toISOString().slice(0, 19)
  }
  return steps
}

test.each<[what: string, start: string, unit: Unit, count: number, names: string]>([
  ['round hours', '2026-03-01T17', 'hour', 30, '18:00 Mar 2 06:00 12:00 18:00'],
  ['midnights when there are many hours', '2026-03-01T17', 'hour', 72, 'Mar 2 Mar 3 Mar 4'],
  ['every day', '2026-02-27T00', 'day', 4, 'Feb 27 Feb 28 Mar 1 Mar 2'],
  ['weeks of days', '2026-02-27T00', 'day', 30, 'Feb 27 Mar 6 Mar 13 Mar 20 Mar 27'],
  ['round months, with their year', '2025-09-01T00', 'month', 14, 'Oct 2025 Jan 2026 Apr Jul Oct'],
  ['Januaries with theirs', '2025-11-01T00', 'month', 4, 'Nov 2025 Dec Jan 2026 Feb'],
  ['round years', '1968-01-01T00', 'year', 58, '1980 2000 2020'],
])('the ticks under a chart are %s', (_what, start, unit, count, names) => {
  const ticks = timeTicks(stepsFrom(`${start}:00:00`, unit, count), unit, 5)
  expect(ticks.map(({ name }) => name).join(' ')).toBe(names)
})
