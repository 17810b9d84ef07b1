import { html } from 'htm/preact'
import { counted } from '../run-report.ts'
import { chartFigure } from './chart-figure.ts'
import { barsChart } from './charts.ts'
import type { Figures, Top, TopName } from './figures.ts'
import { figure, section } from './section.ts'

const TOPS: readonly { which: TopName; title: string; one: string; none: string }[] = [
  { which: 'makes', title: 'Makes', one: 'make', none: '' },
  { which: 'models', title: 'Models', one: 'model', none: '' },
  { which: 'colors', title: 'Colors', one: 'color', none: '' },
  { which: 'regions', title: 'Regions', one: 'region', none: 'No answer names a region.' },
  {
    which: 'cameras',
    title: 'Cameras',
    one: 'camera',
    none: 'No row names a camera: ingest --camera-id does.',
  },
]
const NO_MMC = 'Makes, models and colors are a paid add-on of the API: ingest --mmc asks for them.'

/** The most frequent makes, models, colors, regions and cameras. */
export function topsSection({ tops, totals }: Figures) {
  if (totals.rows === 0) return undefined
  const hasMmc = [tops.makes, tops.models, tops.colors].some(({ names }) => names > 0)
  const nones = TOPS.filter(({ which, none }) => tops[which].names === 0 && none !== '')
  const sentences = [...(hasMmc ? [] : [NO_MMC]), ...nones.map(({ none }) => none)]
  return html`
    <div class="tops">
      ${TOPS.filter(({ which }) => tops[which].names > 0).map(({ which, title, one }) =>
        section(which, title, topFigure(tops[which], one)),
      )}
    </div>
    ${sentences.length === 0 ? undefined : html`<p class="note">${sentences.join(' ')}</p>`}`
}

function topFigure({ most, names }: Top, one: string) {
  const bars = most.map(({ name, rows }) => ({ name, value: rows }))
  const words = bars.map(({ name, value }) => `${name}: ${figure(value)}`).join('; ')
  const rows = bars.map(({ name, value }) => [name, figure(value)])
  const left = names - most.length
  return html`${chartFigure({ says: `Rows by ${one}: ${words}.`, wide: barsChart(bars), heads: [one, 'rows'], rows })}
    ${left > 0 ? html`<p class="note">And ${counted(left, `other ${one}`)}.</p>` : undefined}`
}
