import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { html } from 'htm/preact'
import { renderToString } from 'preact-render-to-string'
import { localTime } from '../local-time.ts'
import { counted } from '../run-report.ts'
import { cardMarkup } from './card.ts'
import type { Figures, FiguresWanted } from './figures.ts'
import type { Card } from './gallery.ts'
import { overTimeSection } from './over-time-section.ts'
import { scoresSection } from './scores-section.ts'
import { failuresSection, lookupsSection, totalsSection } from './sections.ts'
import { topsSection } from './tops-section.ts'

/** What a page tells of itself. */
export interface PageFacts {
  databaseName: string
  /** This program's. */
  version: string
  madeAt: Date
  wanted: FiguresWanted
}

/** The page in the order in which it is written: all text in it, whoever wrote it, is text and never markup. */
export interface Page {
  head: string
  card(card: Card): string
  foot: string
}

/** Puts the page together, except for the cards, of which there may be thousands. */
export async function createPage(figures: Figures, facts: PageFacts): Promise<Page> {
  const [style, script] = await Promise.all(
    ['./page.css', './page.js'].map((name) => readFile(new URL(name, import.meta.url), 'utf8')),
  )
  const gallery = figures.pictureIds.length > 0
  return {
    head: `<!doctype html>
<html lang="en">
${renderToString(pageHead(facts.databaseName, style ?? '', script ?? ''))}
<body>
${renderToString(pageHeader(figures, facts))}
<main>
${renderToString(html`<div>${pageSections(figures)}</div>`)}
${gallery ? renderToString(galleryHead(figures, facts.wanted)).replace(/<\/section>$/, '<ol id="cards">') : ''}
`,
    card: (card) => `${renderToString(cardMarkup(card, figures.scores.threshold))}\n`,
    foot: `${gallery ? '</ol></section>\n' : ''}</main>
${renderToString(pageFooter(facts))}
<script>${script}</script>
</body>
</html>
`,
  }
}

function pageHead(databaseName: string, style: string, script: string) {
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `style-src '${digestOf(style)}'`,
    `script-src '${digestOf(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ]
  return html`
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content=${policy.join('; ')} />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="referrer" content="no-referrer" />
      <meta name="robots" content="noindex" />
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href="data:," />
      <title>${`Plates seen: ${databaseName}`}</title>
      <style dangerouslySetInnerHTML=${{ __html: style }} />
    </head>`
}

/** As a policy names what it allows. */
function digestOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

function pageHeader(
  { overTime, pictureIds }: Figures,
  { databaseName, madeAt, wanted }: PageFacts,
) {
  const { first, last } = overTime
  const time = (at: Date) => html`<time datetime=${at.toISOString()}>${localTime(at)}</time>`
  const { since, until } = wanted
  const asked = [since && html` from ${time(since)}`, until && html` until ${time(until)}`]
  return html`
    <header>
      <p class="maker">plate-snapshot</p>
      <h1>Plates seen</h1>
      <p><bdi>${databaseName}</bdi>, as of ${time(madeAt)}</p>
      ${since || until ? html`<p>Only what was seen${asked}.</p>` : undefined}
      <p>${first && last ? html`From ${time(first)} to ${time(last)}` : 'Nothing has been seen yet.'}</p>
      ${pictureIds.length > 0 ? html`<a class="jump" href="#pictures">To the pictures</a>` : undefined}
    </header>`
}

function pageSections(figures: Figures) {
  return [
    totalsSection(figures),
    overTimeSection(figures),
    scoresSection(figures),
    topsSection(figures),
    html`<div class="two">${[failuresSection(figures), lookupsSection(figures)]}</div>`,
  ]
}

const SORTS = [
  ['newest', 'newest first'],
  ['oldest', 'oldest first'],
  ['lowest-confidence', 'lowest confidence first'],
  ['highest-confidence', 'highest confidence first'],
  ['plate', 'plate, A to Z'],
] as const

function galleryHead({ pictureIds, totals }: Figures, { picturesBy }: FiguresWanted) {
  const n = pictureIds.length
  const which = picturesBy === 'newest' ? 'newest' : 'least sure'
  const words =
    n < totals.rows
      ? `The ${counted(n, which, which)} of ${counted(totals.rows, 'row')}, each with the plate's box.`
      : 'Every row with its image and the box of its plate.'
  const options = SORTS.map(
    ([value, words]) =>
      html`<option value=${value} selected=${value === picturesBy}>${words}</option>`,
  )
  return html`
    <section aria-labelledby="pictures">
      <h2 id="pictures">Pictures</h2>
      <p>${words}</p>
      <form id="controls" hidden>
        <label class="words">Search <input id="words" type="search" autocomplete="off" placeholder="plate, vehicle, color, region, camera, source" /></label>
        <label>Confidence from <input id="least" type="number" min="0" max="1" step="0.05" placeholder="0" /></label>
        <label>to <input id="most" type="number" min="0" max="1" step="0.05" placeholder="1" /></label>
        <label class="sort">Sort <select id="sort">${options}</select></label>
        <button type="reset">Show all</button>
        <output id="count" aria-live="polite"></output>
      </form>
    </section>`
}

function pageFooter({ version, madeAt }: PageFacts) {
  return html`
    <footer>
      <p>
        Number plates are personal data, and this file holds pictures: give it only to people who may see them, and delete it
        when it has served its purpose.
      </p>
      <p>Made by plate-snapshot ${version} on ${localTime(madeAt)}. It loads nothing from anywhere.</p>
    </footer>`
}
