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

const PAGE_ROWS = 500
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
  for (;;) {
    signal.throwIfAborted()
    const page = await ask(`FETCH ${PAGE_ROWS} FROM ${CURSOR}`, [])
    await use(page)
    if (page.rows.length < PAGE_ROWS) return
  }
}

/** What a statement begins with, in lower case, comments and parentheses left out. */
export function firstWord(sql: string): string {
  const [, word = ''] = /^(?:[\s(;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*([a-z]*)/i.exec(sql) ?? []
  return word.toLowerCase()
}

/** Whatever fails after an abort failed for that. */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw signal.aborted ? new InterruptedError({ cause: thrown }) : thrown
  }
}
