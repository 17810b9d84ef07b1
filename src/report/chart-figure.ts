import { html } from 'htm/preact'

/** A chart as it stands in the page. */
interface ChartFigure {
  /** Its figures in words, for who cannot see it. */
  says: string
  /** Markup of our own charts. `narrow` is for a phone; a chart that fits anywhere has none. */
  wide: string
  narrow?: string | undefined
  /** Its figures as a table. */
  heads: readonly string[]
  rows: readonly (readonly string[])[]
}

/** A chart with its figures in words and as a table. */
export function chartFigure({ says, wide, narrow, heads, rows }: ChartFigure) {
  const drawing = (className: string, markup: string) =>
    html`<div class=${className} dangerouslySetInnerHTML=${{ __html: markup }} />`
  return html`
    <figure>
      <div class="chart" role="img" aria-label=${says}>
        ${drawing(narrow === undefined ? 'any' : 'wide', wide)}
        ${narrow === undefined ? undefined : drawing('narrow', narrow)}
      </div>
      <details>
        <summary>The figures</summary>
        ${table(heads, rows)}
      </details>
    </figure>`
}

/** A table whose first column names its rows. It scrolls within itself where it is wider than the page. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]) {
  return html`
    <div class="scrolled" tabindex="0" role="region" aria-label=${`Table: ${heads.join(', ')}`}>
      <table>
        <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
        <tbody>
          ${rows.map(
            ([name, ...cells]) =>
              html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
          )}
        </tbody>
      </table>
    </div>`
}
