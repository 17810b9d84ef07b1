import { html } from 'htm/preact'
import type { Shown, Small } from '../decoding/thumbnails.ts'
import { localTime } from '../local-time.ts'
import type { Card } from './gallery.ts'
import type { Picture } from './pictures.ts'

/** A row with its picture. What the page's script filters and sorts by stands in its `data-` attributes. */
export function cardMarkup(card: Card, threshold: number) {
  const { picture } = card
  const { id, plate, score, at, region, camera, source } = picture
  const vehicle = vehicleOf(picture)
  const words = [plate, vehicle, region, camera, source].filter((word) => word !== undefined)
  const facts: [name: string, fact: unknown][] = [
    ['Seen', at && html`<time datetime=${at.toISOString()}>${localTime(at)}</time>`],
    ['Region', region],
    ['Camera', camera],
    ['Source', source],
    ['Row', html`<code>${id}</code>`],
  ]
  return html`
    <li
      class="card"
      data-words=${words.join(' ').toLowerCase()}
      data-plate=${plate}
      data-score=${score}
      data-at=${at?.getTime()}
    >
      ${card.shown === undefined ? html`<p class="missing"><strong>No picture</strong><span>${card.why}</span></p>` : framedPicture(card.shown, picture)}
      <div class="read">
        <h3>${plate ?? 'no plate'}</h3>
        ${card.shown?.plate && image(card.shown.plate, `Plate ${plate ?? ''}, cut out of the picture`)}
      </div>
      ${score === undefined ? undefined : confidence(score, threshold)}
      ${vehicle === '' ? undefined : html`<p class="vehicle">${vehicle}</p>`}
      <dl>
        ${facts.map(([name, fact]) => fact && html`<div><dt>${name}</dt><dd>${fact}</dd></div>`)}
      </dl>
    </li>`
}

/** `blue Toyota Camry, Sedan` */
function vehicleOf({ color, make, model, vehicleType }: Picture): string {
  const named = [color, make, model].filter((word) => word !== undefined).join(' ')
  return [named, vehicleType].filter((word) => word !== undefined && word !== '').join(', ')
}

function framedPicture({ picture, frame, box }: Shown, row: Picture) {
  const alt = `${vehicleOf(row) || 'Vehicle'}, plate ${row.plate ?? 'not read'}`
  const shape = picture.width >= picture.height ? 'wide' : 'tall'
  // Two lines, dark and bright: one of them stands out on any picture.
  const lines = (area: NonNullable<Shown['box']>) =>
    ['under', 'over'].map(
      (line) => html`<rect
        class=${line}
        x=${area.xmin}
        y=${area.ymin}
        width=${area.xmax - area.xmin}
        height=${area.ymax - area.ymin}
        vector-effect="non-scaling-stroke"
      />`,
    )
  return html`
    <div class="picture">
      <div class=${`frame ${shape}`}>
        ${image(picture, alt)}
        ${
          box &&
          html`<svg
            viewBox=${`0 0 ${frame.width} ${frame.height}`}
            preserveAspectRatio="none"
            aria-hidden="true"
          >${lines(box)}</svg>`
        }
      </div>
    </div>`
}

function image({ address, width, height }: Small, alt: string) {
  return html`<img
    src=${address}
    width=${width}
    height=${height}
    alt=${alt}
    loading="lazy"
    decoding="async"
  />`
}

function confidence(score: number, threshold: number) {
  const part = 100 * Math.min(1, Math.max(0, score))
  return html`
    <p class="sure">
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" /><rect class="bar" width=${part} height="6" />
      </svg>
      <span>confidence ${score.toFixed(3)}</span>
      ${score < threshold ? html`<span class="badge">below ${threshold}</span>` : undefined}
    </p>`
}
