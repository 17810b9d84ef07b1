import type { Page } from './pages.ts'

/** Rows of one statement. */
export interface Queryable {
  /** One parameterised statement, unnamed (poolers forget named ones); `values` take text, numbers, null and bytes. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>
}

/** The narrow seam that a PostgreSQL server and the embedded PostgreSQL (PGlite) both fit. */
export interface Database extends Queryable {
  /** For people, without secrets: `PostgreSQL "plates" on db.example.com`. */
  readonly name: string
  readonly isEmbedded: boolean
  /** Was an embedded database made by this opening? */
  readonly isNew: boolean
  /** All of `work` or nothing of it. */
  transaction<T>(work: (queryable: Queryable) => Promise<T>): Promise<T>
  /**
   * The rows of one SELECT, however many, a page at a time: through a cursor, in a transaction that may only read. `use` is
   * called at least once, so that it learns the columns.
   * @param signal ends it, also while a server is busy with it
   * @throws {InterruptedError} when `signal` aborts
   */
  readPages(
    sql: string,
    values: readonly unknown[],
    use: (page: Page) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>
  /** A script of several statements, without values. Gives the rows of all of them. */
  execute(script: string): Promise<object[]>
  close(): Promise<void>
}

/**
 * Class 08: connection; 53: no resources; 57P: shut down; 58: the server's own system; 25006: a standby, read-only
 * (PostgreSQL, appendix A).
 */
export function isDown(sqlState: string): boolean {
  return /^(08|53|57P|58|25006)/.test(sqlState)
}
