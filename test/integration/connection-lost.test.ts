import { expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { isAway, patient, sickStatement } from '../../src/db/patient.ts'
import { openServerDatabase } from '../../src/db/server.ts'
import { DatabaseError } from '../../src/errors.ts'
import { createOutage } from '../../src/outage.ts'
import { createDatabase } from '../support/databases.ts'

// Only on a server: the embedded database has no connection to lose.

const outageOf = (database: Database) =>
  createOutage({
    ...{ isAway, sick: sickStatement, probe: () => database.query('SELECT 1') },
    ...{ patienceMs: 60_000, signal: new AbortController().signal },
    policy: { retries: 3, firstMs: 1, factor: 1, longestMs: 1 },
  })

/** Ends only when its connection is cut. */
const ENDLESS = "SELECT pg_sleep_for('1 day')"
const SLEEPING =
  "SELECT pid FROM pg_stat_activity WHERE application_name = 'plate-snapshot' AND query LIKE '%pg_sleep%'"

/** Ends the connection that sleeps, as soon as there is one, as a restart of the server does. */
async function cutTheSleeper(
  pool: Awaited<ReturnType<typeof createDatabase>>['pool'],
): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(
      `SELECT pg_terminate_backend(pid) AS cut FROM (${SLEEPING}) s`,
    )
    if (rows.length > 0) return
  }
}

test('a connection that drops during a query fails that query, and nothing else', async () => {
  await using created = await createDatabase()
  const database = openServerDatabase(created.url, 2)
  try {
    const sleeping = database.query(ENDLESS).catch((thrown: unknown) => thrown)
    await cutTheSleeper(created.pool)
    const error = await sleeping
    expect(error).toBeInstanceOf(DatabaseError)
    expect(error).toMatchObject({ code: 'database_down', isTransient: true })
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  } finally {
    await database.close()
  }
})

test('with patience the query is made again', async () => {
  await using created = await createDatabase()
  await created.pool.query('CREATE TABLE tries (n int)')
  const database = openServerDatabase(created.url, 2)
  try {
    const work = patient(database, outageOf(database)).transaction(async (queryable) => {
      const tried = await created.pool.query(
        'INSERT INTO tries VALUES (1) RETURNING (SELECT count(*)::int FROM tries)',
      )
      const isFirst = tried.rows[0]?.count === 0
      return queryable.query(isFirst ? ENDLESS : 'SELECT 2 AS second')
    })
    await cutTheSleeper(created.pool)
    expect(await work).toEqual([{ second: 2 }])
  } finally {
    await database.close()
  }
})

test('what the server refuses is not tried again', async () => {
  await using created = await createDatabase()
  const database = openServerDatabase(created.url, 2)
  try {
    await expect(patient(database, outageOf(database)).query('SELECT 1/0')).rejects.toMatchObject({
      code: 'database_failed',
    })
  } finally {
    await database.close()
  }
})
