import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { endOf, type OverTime } from './over-time.ts'
import { BINS, type Scores } from './scores.ts'
import { figure } from './section.ts'
import { timeTicks } from './time-axis.ts'

/** One value under its name. */
export interface Bar {
  name: string
  value: number
}

/** Pixels: for a page as wide as a desk's, and for a phone's, so that no letter shrinks. */
export type ChartWidth = 1040 | 340

const { document } = parseHTML('<html></html>')
/** Characters of a name that fit in beside its bar. */
const MOST_LETTERS = 20
const BAR_PX = 26

/**
 * A chart as the markup of its `<svg>`. Plot's own style sheet is taken out: the page's policy allows none but the page's,
 * which has its rules.
 */
function markupOf(options: Plot.PlotOptions): string {
  const chart = Plot.plot({ ...options, className: 'plot', document })
  for (const style of chart.querySelectorAll('style')) style.remove()
  return chart.outerHTML
}

/** A bar a name, the longest first as they are given. */
export function barsChart(bars: readonly Bar[]): string {
  const shown = bars.map(({ name, value }, place) => ({ name, value, place }))
  const at = { x: 'value', y: 'place' } as const
  return markupOf({
    width: 340,
    height: bars.length * BAR_PX + 4,
    margin: 2,
    marginLeft: 142,
    marginRight: 52,
    x: { axis: null, domain: [0, Math.max(1, ...bars.map(({ value }) => value))] },
    y: { axis: null, padding: 0.28 },
    marks: [
      Plot.barX(shown, { ...at, className: 'bar', rx: 2, title: titleOf }),
      Plot.text(shown, {
        ...{ y: 'place', className: 'name', text: ({ name }: Bar) => shortened(name) },
        ...{ frameAnchor: 'left', textAnchor: 'end', dx: -8, title: titleOf },
      }),
      Plot.text(shown, {
        ...{ ...at, className: 'value', text: ({ value }: Bar) => figure(value) },
        ...{ textAnchor: 'start', dx: 6 },
      }),
    ],
  })
}

const titleOf = ({ name, value }: Bar) => `${name}: ${figure(value)}`

function shortened(name: string): string {
  const letters = [...name.replace(/\s+/g, ' ')]
  return letters.length <= MOST_LETTERS
    ? letters.join('')
    : `${letters.slice(0, MOST_LETTERS - 1).join('')}…`
}

/** How many images or plates there were in each hour, day, and so on. */
export function timeChart(
  { steps, unit }: OverTime,
  of: 'images' | 'plates',
  width: ChartWidth,
): string {
  const bars = steps.map((step) => ({
    from: new Date(`${step.start}Z`),
    to: endOf(step, unit),
    n: step[of],
    title: `${step.start.replace('T', ' ').slice(0, 16)}: ${figure(step[of])}`,
  }))
  const most = Math.max(1, ...bars.map(({ n }) => n))
  const ticks = timeTicks(steps, unit, width === 340 ? 5 : 12)
  const nameAt = (_at: Date, place: number) => ticks[place]?.name ?? ''
  return markupOf({
    ...{ width, height: 150, marginTop: 12, marginRight: 8, marginBottom: 26, marginLeft: 44 },
    x: { type: 'utc', label: null, ticks: ticks.map(({ at }) => at), tickFormat: nameAt },
    y: { label: null, domain: [0, most], ...counts(most) },
    marks: [
      Plot.gridY({ className: 'grid', ...counts(most) }),
      Plot.rectY(bars, {
        ...{ x1: 'from', x2: 'to', y: 'n', className: 'bar' },
        ...{ insetLeft: 0.5, insetRight: 0.5, title: 'title' },
      }),
      Plot.ruleY([0], { className: 'base' }),
    ],
  })
}

/** The plates by score, those that the threshold keeps out drawn lighter, and the threshold itself. */
export function scoresChart({ bins, threshold }: Scores, width: ChartWidth): string {
  const bars = bins.flatMap(({ plates, kept }, bin) => {
    const ends = { from: bin / BINS, to: (bin + 1) / BINS }
    const title = `${ends.from.toFixed(2)} to ${ends.to.toFixed(2)}: ${figure(plates)}`
    return [
      { ...ends, title, isKept: true, low: 0, high: kept },
      { ...ends, title, isKept: false, low: kept, high: plates },
    ].filter(({ low, high }) => high > low)
  })
  const most = Math.max(1, ...bins.map(({ plates }) => plates))
  const rects = (isKept: boolean) =>
    Plot.rect(
      bars.filter((bar) => bar.isKept === isKept),
      {
        ...{ x1: 'from', x2: 'to', y1: 'low', y2: 'high', className: isKept ? 'bar' : 'bar below' },
        ...{ insetLeft: 1, insetRight: 1, title: 'title' },
      },
    )
  const mark = { className: 'threshold', text: () => `threshold ${threshold}` }
  return markupOf({
    ...{ width, height: 220, marginTop: 26, marginRight: 12, marginBottom: 38, marginLeft: 44 },
    x: { domain: [0, 1], label: 'confidence', labelAnchor: 'center', labelArrow: 'none', ticks: 5 },
    y: { label: null, domain: [0, most], ...counts(most) },
    marks: [
      Plot.gridY({ className: 'grid', ...counts(most) }),
      rects(true),
      rects(false),
      Plot.ruleY([0], { className: 'base' }),
      Plot.ruleX([threshold], { className: 'threshold' }),
      Plot.text([threshold], {
        ...{ ...mark, x: (at: number) => at, frameAnchor: 'top', lineAnchor: 'bottom', dy: -6 },
        textAnchor: threshold < 0.15 ? 'start' : threshold > 0.85 ? 'end' : 'middle',
      }),
    ],
  })
}

/** Ticks of whole numbers: there is no half plate. */
function counts(most: number) {
  return { tickFormat: figure, ticks: wholeTicks(most) }
}

/** At most five of them, 1, 2 or 5 times a power of ten apart. */
function wholeTicks(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most / 4)))
  const apart = [1, 2, 5, 10].map((n) => n * power).find((step) => most / step <= 4.5) ?? 10 * power
  return Array.from({ length: Math.floor(most / apart) + 1 }, (_, n) => n * apart)
}
