import { html } from 'htm/preact'
import { counted } from '../run-report.ts'
import { chartFigure } from './chart-figure.ts'
import { scoresChart } from './charts.ts'
import type { Figures } from './figures.ts'
import { BINS, platesAt, type Scores } from './scores.ts'
import { figure, section } from './section.ts'

/** The scores of all plates in the answers, and what another threshold would bring. */
export function scoresSection({ scores }: Figures) {
  const { plates, unscored, bins, threshold } = scores
  const [other] = otherThresholds(scores)
  if (plates === 0) return undefined
  const binName = (bin: number) => `${(bin / BINS).toFixed(2)} to ${((bin + 1) / BINS).toFixed(2)}`
  const rows = bins.map((bin, n) => [binName(n), ...[bin.plates, bin.kept].map((m) => figure(m))])
  const without = `${counted(unscored, 'plate')} came without a score and ${unscored === 1 ? 'is' : 'are'} not in the chart.`
  return section(
    'scores',
    'How sure the readings are',
    html`<p>${thresholdWords(scores)}</p>
      ${chartFigure({
        says: `Plates by confidence. ${thresholdWords(scores)}`,
        wide: scoresChart(scores, 1040),
        narrow: scoresChart(scores, 340),
        heads: ['confidence', 'plates', `of these pass at ${threshold}`],
        rows,
      })}
      <p class="note">
        All plates that the answers name, with a row or without one.${unscored > 0 ? ` ${without}` : ''}
        ${other && html` Another threshold costs no lookup: <code>plate-snapshot reprocess --confidence-threshold ${other.at}</code>`}
      </p>`,
  )
}

/** `At a threshold of 0.5, 10 of 12 plates pass; at 0.4 it would be 11, at 0.3 it would be 12.` */
export function thresholdWords(scores: Scores): string {
  const { threshold, plates, kept } = scores
  const all = `${figure(kept)} of ${counted(plates, 'plate')} ${plates === 1 ? 'passes' : 'pass'}`
  const told = otherThresholds(scores).map(({ at, n }) => `at ${at} it would be ${figure(n)}`)
  return `At a threshold of ${threshold}, ${[all, told.join(', ')].filter((part) => part !== '').join('; ')}.`
}

const TENTHS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
const MOST_OTHERS = 3

/** The next lower thresholds that let more through; when all plates pass, the next higher ones that let fewer through. */
function otherThresholds(scores: Scores): { at: number; n: number }[] {
  const { threshold, plates, kept } = scores
  const others =
    kept < plates
      ? TENTHS.filter((at) => at < threshold).toReversed()
      : TENTHS.filter((at) => at > threshold)
  let last = kept
  return others
    .map((at) => ({ at, n: platesAt(at, scores) }))
    .filter(({ n }) => {
      const isOther = n !== last
      last = n
      return isOther
    })
    .slice(0, MOST_OTHERS)
}
