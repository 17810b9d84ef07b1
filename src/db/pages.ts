import { InterruptedError } from '../errors.ts'

/** A column of a result; `typeId` is PostgreSQL's number for its type (`pg_type.oid`). */
export interface Column {
  name: string
  typeId: number
}

/** Some rows of a result, each value as PostgreSQL writes it; null for NULL. */
export interface Page {
  columns: readonly Column[]
  rows: readonly (readonly (string | null)[])[]
}

/** Asks one statement by the extended protocol. */
type Ask = (sql: string, values: readonly unknown[]) => Promise<Page>

/** A page is not to be much longer than this, in characters, however wide its rows are: they may hold images. */
const PAGE_LENGTH = 4_000_000
const MOST_ROWS = 500
const CURSOR = 'plate_snapshot_rows'

/** All rows are wanted, not only the first ones, which the planner takes for likely with a cursor. */
export const READING = 'SET TRANSACTION READ ONLY; SET LOCAL cursor_tuple_fraction = 1'

/** The statements of `readPages`, within a transaction that only reads. */
export async function eachPage(
  ask: Ask,
  sql: string,
  values: readonly unknown[],
  use: (page: Page) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  // A cursor takes nothing but SELECT and its like; the few rows of the others come at once.
  if (/^(explain|show)$/.test(firstWord(sql))) return use(await ask(sql, values))
  await ask(`DECLARE ${CURSOR} NO SCROLL CURSOR FOR ${sql}`, values)
  // How wide the rows are, the first tells, and each page of the next.
  for (let asked = 1; ; ) {
    signal.throwIfAborted()
    const page = await ask(`FETCH ${asked} FROM ${CURSOR}`, [])
    await use(page)
    if (page.rows.length < asked) return
    const fitting = Math.floor((PAGE_LENGTH * asked) / lengthOf(page))
    asked = Math.max(1, Math.min(fitting, asked * 8, MOST_ROWS))
  }
}

function lengthOf({ rows }: Page): number {
  return rows.reduce(
    (length, row) => row.reduce((sum, cell) => sum + (cell?.length ?? 0), length + 1),
    0,
  )
}

/** What a statement begins with, in lower case, comments and parentheses left out. */
export function firstWord(sql: string): string {
  const [, word = ''] = /^(?:[\s(;]|--[^\n]*(?:\n|$))*([a-z]*)/i.exec(withoutComments(sql)) ?? []
  return word.toLowerCase()
}

/** Block comments may stand in one another: the innermost go first. */
function withoutComments(sql: string): string {
  const without = sql.replace(/\/\*(?:(?!\/\*|\*\/)[\s\S])*\*\//g, ' ')
  return without === sql ? sql : withoutComments(without)
}

const HINT = 'Run it again; nothing was changed.'

/** Whatever fails after an abort failed for that. For what only reads. */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw signal.aborted ? new InterruptedError({ cause: thrown, hint: HINT }) : thrown
  }
}
