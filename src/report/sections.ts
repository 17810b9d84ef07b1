import { html } from 'htm/preact'
import { adviceOn } from '../advice.ts'
import { localTime } from '../local-time.ts'
import { counted } from '../run-report.ts'
import { chartFigure } from './chart-figure.ts'
import { barsChart } from './charts.ts'
import type { Figures } from './figures.ts'
import { figure, section } from './section.ts'

/** The totals, one a tile. */
export function totalsSection({ totals, scores, failures }: Figures) {
  const { images, answered, rows, lookups, requests, saved } = totals
  const waiting = images - answered
  const failed = failures.reduce((sum, { sources }) => sum + sources, 0)
  const passing =
    scores.threshold === 0 ? 'no threshold' : `${figure(scores.kept)} pass at ${scores.threshold}`
  const tiles: [n: number, name: string, more: string][] = [
    [images, 'images', waiting === 0 ? 'all answered' : `${figure(waiting)} without an answer`],
    [scores.plates, 'plates in the answers', passing],
    [rows, 'rows in the database', 'one for each vehicle kept'],
    [requests, 'requests to the API', `for ${counted(lookups, 'image')}`],
    [saved, 'lookups saved', 'known already, not asked again'],
    [failed, 'failed sources', failed === 0 ? 'when last tried: none' : 'when last tried'],
  ]
  return section(
    'seen',
    'What was seen',
    html`<dl class="tiles">
      ${tiles.map(
        ([n, name, more]) =>
          html`<div><dt>${name}</dt><dd>${figure(n)}<small>${more}</small></dd></div>`,
      )}
    </dl>`,
  )
}

/** Why sources failed when they were last tried, and what to do. */
export function failuresSection({ failures }: Figures) {
  if (failures.length === 0) return undefined
  const bars = failures.map(({ code, sources }) => ({ name: code, value: sources }))
  const told = failures.map(({ code, sources }) => `${code}: ${figure(sources)}`).join('; ')
  return section(
    'failed',
    'Failed images',
    html`<p>Sources that failed when they were last tried, by reason.</p>
      ${chartFigure({
        says: `Failed sources by reason: ${told}.`,
        wide: barsChart(bars),
        heads: ['reason', 'sources', 'newest'],
        rows: failures.map(({ code, sources, newest }) => [
          code,
          figure(sources),
          localTime(newest),
        ]),
      })}
      <dl class="advice">
        ${failures.map(
          ({ code }) =>
            html`<div><dt>${code}</dt><dd>${adviceOn(code) || 'See the command that wrote it.'}</dd></div>`,
        )}
      </dl>`,
  )
}

/** What was spent, and what was not. */
export function lookupsSection({ totals }: Figures) {
  const { requests, uncertain, saved, lookups } = totals
  if (requests + saved === 0) return undefined
  const bars = [
    { name: 'requests sent', value: requests },
    ...(uncertain > 0 ? [{ name: 'answers lost', value: uncertain }] : []),
    { name: 'lookups saved', value: saved },
  ]
  const lost = `${counted(uncertain, 'request')} may have been billed, with the answer lost.`
  const known = `${counted(saved, 'lookup')} ${saved === 1 ? 'was' : 'were'} saved, because the ledger knew the image.`
  const words = [
    `${counted(requests, 'request')} for ${counted(lookups, 'image')}.`,
    ...(uncertain > 0 ? [lost] : []),
    ...(saved > 0 ? [known] : []),
  ].join(' ')
  return section(
    'lookups',
    'Lookups and what the ledger saved',
    html`<p>${words}</p>
      ${chartFigure({
        says: words,
        wide: barsChart(bars),
        heads: ['lookups', 'number'],
        rows: bars.map(({ name, value }) => [name, figure(value)]),
      })}`,
  )
}
