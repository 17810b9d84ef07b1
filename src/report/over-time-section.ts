import { html } from 'htm/preact'
import { counted } from '../run-report.ts'
import { chartFigure } from './chart-figure.ts'
import { timeChart } from './charts.ts'
import type { Figures } from './figures.ts'
import type { OverTime } from './over-time.ts'
import { figure, section } from './section.ts'

/** Images and plates by hour, day, week, month or year. */
export function overTimeSection({ overTime }: Figures) {
  const { steps, unit, timeZone } = overTime
  const [only] = steps
  if (only === undefined) return undefined
  const words = (n: 'images' | 'plates') => counted(only[n], n.slice(0, -1))
  if (steps.length === 1) {
    const all = `All of it falls into one ${unit}, ${stepName(only.start, overTime)} (${timeZone}): ${words('images')} first stored, ${words('plates')} seen.`
    return section('time', 'Over time', html`<p>${all}</p>`)
  }
  return section(
    'time',
    'Over time',
    html`<p>By ${unit}; times of ${timeZone}.</p>
      <h3>Images, when they were first stored</h3>
      ${timeFigure(overTime, 'images')}
      <h3>Plates, when they were seen</h3>
      ${timeFigure(overTime, 'plates')}`,
  )
}

function timeFigure(overTime: OverTime, of: 'images' | 'plates') {
  const { steps, unit } = overTime
  const rows = steps.map((step): [string, number] => [stepName(step.start, overTime), step[of]])
  const total = rows.reduce((sum, [, n]) => sum + n, 0)
  const [mostAt = '', most = 0] = rows.toSorted(([, a], [, b]) => b - a)[0] ?? []
  const says = `${of} by ${unit}, from ${rows[0]?.[0]} to ${rows.at(-1)?.[0]}: ${figure(total)} in all, most at ${mostAt} (${figure(most)}).`
  return chartFigure({
    says,
    wide: timeChart(overTime, of, 1040),
    narrow: timeChart(overTime, of, 340),
    heads: [unit, of],
    rows: rows.map(([name, n]) => [name, figure(n)]),
  })
}

/** `2026-01-31 23:00`, and without what the unit makes needless. */
function stepName(start: string, { unit }: Pick<OverTime, 'unit'>): string {
  const length = { hour: 16, day: 10, week: 10, month: 7, year: 4 }[unit]
  return start.slice(0, length).replace('T', ' ')
}
