import { stringify } from 'csv-stringify/sync'
import type { Column, Page } from './db/pages.ts'
import { visible } from './run-report.ts'
import type { Shell } from './shell.ts'
import { createTable } from './table.ts'

/** How rows are written: a table for people, or one line a row for programs. */
export interface RowFormat {
  csv?: boolean | undefined
  json?: boolean | undefined
}

/** PostgreSQL's types by their numbers (pg_type.dat). */
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700])
const BOOLEAN = 16
const JSON_TYPES = new Set([114, 3802])
/** As JSON writes one: not `NaN`, not `Infinity`. */
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/

/** Rows of a table that tell how wide its columns are. */
const MEASURED_ROWS = 100

/** Takes the pages of a result, all with the same columns; `end` comes after the last. */
export interface RowWriter {
  write(page: Page): Promise<void>
  end(): void
}

/**
 * Writes pages of rows to standard output as they come, no faster than it is read.
 * @param shownAs what people see of a page, where that is not the page itself
 */
export function createRowWriter(
  { csv, json }: RowFormat,
  shell: Pick<Shell, 'out' | 'outBytes' | 'outColumns' | 'drained'>,
  shownAs: (page: Page) => Shown = asItIs,
): RowWriter {
  const table = createShown(shownAs)
  const linesOf = json ? jsonLines : csv ? createCsv() : table.linesOf
  // Programs take CSV as it is; on a terminal it is shown, as all text is.
  const isVerbatim = csv === true && shell.outColumns === undefined
  const put = (lines: readonly string[]) => {
    if (lines.length === 0) return
    const text = lines.join('\n')
    if (isVerbatim) shell.outBytes(Buffer.from(`${text}\n`))
    else shell.out(text)
  }
  return {
    async write(page) {
      put(linesOf(page))
      await shell.drained()
    },
    end: () => put(csv || json ? [] : table.rest()),
  }
}

/** A page as a table for people. */
export interface Shown {
  heads: readonly string[]
  cells: readonly (readonly string[])[]
}

/** Holds the first rows back until there are enough to tell the widths. */
function createShown(shownAs: (page: Page) => Shown) {
  let table: ReturnType<typeof createTable> | undefined
  let held: string[][] = []
  let isBegun = false
  const rest = () => {
    if (table === undefined || (isBegun && held.length === 0)) return []
    const lines = table(held)
    held = []
    isBegun = true
    return lines
  }
  const linesOf = (page: Page) => {
    const { heads, cells } = shownAs(page)
    table ??= createTable(heads.map(visible))
    held.push(...cells.map((row) => row.map(visible)))
    return isBegun || held.length >= MEASURED_ROWS ? rest() : []
  }
  return { linesOf, rest }
}

function asItIs({ columns, rows }: Page): Shown {
  return {
    heads: columns.map(({ name }) => name),
    cells: rows.map((row) => row.map((cell) => cell ?? '')),
  }
}

/** Values as PostgreSQL writes them; numbers, booleans and JSON as such, and numbers with all of their digits. */
function jsonLines({ columns, rows }: Page): string[] {
  const names = columns.map(({ name }) => `${JSON.stringify(name)}:`)
  return rows.map((row) => {
    const members = columns.map((column, n) => `${names[n]}${jsonText(row[n] ?? null, column)}`)
    return `{${members.join(',')}}`
  })
}

function jsonText(text: string | null, { typeId }: Column): string {
  if (text === null) return 'null'
  if (typeId === BOOLEAN) return text === 't' ? 'true' : 'false'
  if (NUMBERS.has(typeId) && NUMBER.test(text)) return text
  // `json` keeps its white space outside of strings, where it means nothing.
  if (JSON_TYPES.has(typeId)) return text.replace(/[\t\r\n]/g, ' ')
  return JSON.stringify(text)
}

interface Negative {
  number?: string
}

/** A cell that a spreadsheet would run as a formula gets an apostrophe; a negative number is none. */
function createCsv(): (page: Page) => string[] {
  const options = {
    escape_formulas: true,
    // Where commas are decimal points, spreadsheets take these for the end of a cell.
    quoted_match: /[;\t]/,
    cast: { object: ({ number = '' }: Negative) => ({ value: number, escape_formulas: false }) },
  }
  const lines = (records: unknown[][]) => stringify(records, options).replace(/\n$/, '')
  let isBegun = false
  return ({ columns, rows }) => {
    const heads = isBegun ? [] : [columns.map(({ name }) => name)]
    isBegun = true
    const cells = rows.map((row) =>
      row.map((cell, n) =>
        cell?.startsWith('-') && NUMBERS.has(columns[n]?.typeId ?? 0) ? { number: cell } : cell,
      ),
    )
    const records = [...heads, ...cells]
    return records.length === 0 ? [] : [lines(records)]
  }
}
