import { html } from 'htm/preact'

const number = new Intl.NumberFormat('en-US')
/** A figure as people write it: `1,204`. */
export const figure = (n: number) => number.format(n)

/** A part of the page under its heading. @param id of the heading: links may lead there */
export function section(id: string, title: string, content: unknown) {
  return html`<section aria-labelledby=${id}><h2 id=${id}>${title}</h2>${content}</section>`
}
