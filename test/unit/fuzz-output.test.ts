import fc from 'fast-check'
import { parseHTML } from 'linkedom'
import { expect, test } from 'vitest'
import type { Page } from '../../src/db/pages.ts'
import { createPage } from '../../src/report/markup.ts'
import type { Picture } from '../../src/report/pictures.ts'
import { createRowWriter } from '../../src/rows-out.ts'
import { anyText, fuzzing } from '../support/fuzzing.ts'

const cases = fuzzing()

/** The rows of a CSV file as RFC 4180 has them, where LF ends a row and a CR without quotes would too. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|[\r\n])/gy
  for (let end = 0; end < text.length; end = cell.lastIndex) {
    const [, quoted, bare = '', after] = cell.exec(text) ?? []
    if (after === undefined) throw new Error(`no cell at ${end}: ${text.slice(end, end + 40)}`)
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? bare)
    if (after !== ',') rows.push([])
  }
  return rows.slice(0, -1)
}

const [TEXT, NUMERIC, JSONB] = [25, 1700, 3802]
const NUMBER = /^-?(\d+(\.\d+)?(e[+-]\d+)?|Infinity)$|^NaN$/
/** Starts of formulas, in all of their widths. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/

test('CSV gives back every cell, and begins none with the sign of a formula', async () => {
  const column = fc.record({ name: anyText(), typeId: fc.constantFrom(TEXT, NUMERIC, JSONB) })
  const number = fc.oneof(fc.bigInt(), fc.double()).map(String)
  const cellOf = ({ typeId }: { typeId: number }) =>
    fc.option(
      typeId === NUMERIC
        ? number
        : fc.oneof(
            anyText(),
            anyText().map((text) => `=${text}`),
          ),
    )
  const table = fc.array(column, { minLength: 1, maxLength: 4 }).chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      pages: fc.array(fc.array(fc.tuple(...columns.map(cellOf)), { maxLength: 4 }), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, pages }) => {
      const texts: string[] = []
      const shell = {
        out: (text: string) => void texts.push(`${text}\n`),
        outBytes: (bytes: Uint8Array) => void texts.push(Buffer.from(bytes).toString()),
        drained: async () => {},
      }
      const writer = createRowWriter({ csv: true }, shell)
      for (const rows of pages) await writer.write({ columns, rows })
      writer.end()
      const sent: Page['rows'] = [columns.map(({ name }) => name), ...pages.flat()]
      const read = readCsv(texts.join(''))
      const defused = sent.map((row, n) =>
        row.map((cell, at) => {
          const isNumber = n > 0 && columns[at]?.typeId === NUMERIC && NUMBER.test(cell ?? '')
          // A database gives no lone surrogate.
          const text = (cell ?? '').toWellFormed()
          return FORMULA.test(text) && !isNumber ? `'${text}` : text
        }),
      )
      expect(read).toEqual(defused)
    }),
    cases,
  )
})

const WORDS = [
  'plate',
  'make',
  'model',
  'color',
  'region',
  'camera',
  'source',
  'vehicleType',
] as const
type Words = Partial<Record<(typeof WORDS)[number], string>>

/** A report of one region and one row, with or without its picture, read as a browser reads it. */
async function pageOf(words: Words, database: string, hasPicture: boolean) {
  const none = { names: 0, most: [] }
  const named = { names: 1, most: [{ name: words.region ?? 'none', rows: 1 }] }
  const page = await createPage(
    {
      totals: {
        ...{ images: 1, answered: 1, lookups: 0, requests: 0, uncertain: 0, saved: 0, rows: 1 },
      },
      overTime: { unit: 'day', timeZone: 'UTC', first: undefined, last: undefined, steps: [] },
      scores: { threshold: 0.5, plates: 0, kept: 0, unscored: 0, bins: [] },
      tops: { makes: none, models: none, colors: none, regions: named, cameras: none },
      ...{ failures: [], pictureIds: ['1'] },
    },
    {
      ...{ databaseName: database, version: '1.2.3', madeAt: new Date(0) },
      wanted: { pictures: 1, picturesBy: 'newest' },
    },
  )
  const picture: Picture = { id: '1', score: 0.4, at: new Date(0), ...words }
  const small = { address: 'data:image/webp;base64,AAAA', width: 4, height: 4 }
  const shown = {
    picture: small,
    frame: small,
    plate: small,
    box: { xmin: 0, ymin: 0, xmax: 1, ymax: 1 },
  }
  const card = page.card(
    hasPicture
      ? { picture, shown }
      : { picture, shown: undefined, isLost: true, why: words.source ?? 'It is gone.' },
  )
  const { document } = parseHTML(page.head + card + page.foot)
  const outline = [...document.querySelectorAll('*')].map(({ tagName, attributes }) =>
    [tagName, ...[...attributes].map(({ name }) => name)].join(' '),
  )
  return { document, outline: outline.join('\n') }
}

test('no text of a report becomes markup, and every one can be read in it', async () => {
  const plain: Words = Object.fromEntries(WORDS.map((name) => [name, 'x']))
  const outlines = {
    framed: (await pageOf(plain, 'x', true)).outline,
    missing: (await pageOf(plain, 'x', false)).outline,
  }
  // The database gives no empty text.
  const text = anyText().filter((text) => text !== '')
  const words = fc.record(Object.fromEntries(WORDS.map((name) => [name, text])))
  await fc.assert(
    fc.asyncProperty(words, anyText(), fc.boolean(), async (words: Words, database, hasPicture) => {
      const { document, outline } = await pageOf(words, database, hasPicture)
      expect(outline).toBe(hasPicture ? outlines.framed : outlines.missing)
      const said = document.body.textContent ?? ''
      for (const text of [database, ...Object.values(words)]) expect(said).toContain(text)
      expect(document.querySelector('title')?.textContent).toBe(`Plates seen: ${database}`)
      expect(document.querySelector('.card')?.getAttribute('data-plate')).toBe(words.plate)
    }),
    cases,
  )
})
