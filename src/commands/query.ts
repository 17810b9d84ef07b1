import { text } from 'node:stream/consumers'
import { firstWord } from '../db/pages.ts'
import { requireThere } from '../db/schema.ts'
import { ConfigError, DatabaseError, messageOf, systemCodeOf } from '../errors.ts'
import { createRowWriter } from '../rows-out.ts'
import { counted } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { openDatabase } from '../stores.ts'
import { readQueryOptions } from '../viewing-options.ts'
import { requireSettings } from './settings.ts'

const READING = /^(select|with|values|table|explain|show)$/

/**
 * `plate-snapshot query`: the rows of one SQL statement that only reads, on either database. @returns the exit code
 * @throws {DatabaseError} `query_refused`
 */
export async function query(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readQueryOptions(given)
  const settings = await requireSettings(shell.env, { api: false, storage: false }, problems)
  if (options === undefined) throw new ConfigError(problems)
  const sql = options.sql === '-' ? await text(shell.input) : options.sql
  const word = firstWord(sql)
  if (!READING.test(word)) {
    const what = word === '' ? 'holds no statement' : `begins with ${word.toUpperCase()}`
    throw new DatabaseError('query_refused', `The query ${what}.`)
  }
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireThere(database)
    const writer = createRowWriter(options, shell)
    let count = 0
    await database
      .readPages(
        sql,
        [],
        async (page) => {
          count += page.rows.length
          await writer.write(page)
        },
        shell.signal,
      )
      .catch((thrown) => {
        throw refusal(thrown) ?? thrown
      })
    writer.end()
    if (!options.csv && !options.json) shell.say(`${counted(count, 'row')}.`)
    return 0
  } finally {
    await database.close()
  }
}

/**
 * Classes of what is wrong with the statement itself: cardinality, a value, a write, a routine, syntax and names, what a
 * cursor cannot do, values that nobody gave ($1), its limits, a time-out (PostgreSQL, appendix A).
 */
const REFUSED = /^(21|22|25|2F|38|42|54|0A|08P01|57014)/

/** The database's own words on a statement that it does not take. */
function refusal(thrown: unknown): DatabaseError | undefined {
  const cause = thrown instanceof DatabaseError ? thrown.cause : undefined
  if (!REFUSED.test(systemCodeOf(cause) ?? '')) return undefined
  const message = `The database refused the query: ${messageOf(cause)}.`
  return new DatabaseError('query_refused', message, { cause })
}
