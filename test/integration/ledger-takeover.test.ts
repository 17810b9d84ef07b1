import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { createLedger } from '../../src/db/ledger.ts'
import { isAway, sickStatement } from '../../src/db/patient.ts'
import { beginRun } from '../../src/db/runs.ts'
import { DatabaseError } from '../../src/errors.ts'
import { type ProcessIdentity, thisProcess } from '../../src/machine.ts'
import { createOutage } from '../../src/outage.ts'
import type { WantedImage } from '../../src/wanted.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'

const never = new AbortController().signal

describe.each(BOTH_DATABASES)('a claim in %s', (name, open) => {
  /** Of the embedded database's users but one is alive: the one that holds its folder. */
  const isShared = name.startsWith('server')

  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** An image claimed by a run that is written into the tables by hand. */
  async function claimedBy(
    who: Partial<ProcessIdentity>,
    { ended = 'NULL', heartbeat = 'now()' } = {},
  ) {
    const { machine, processId, processStarted } = { ...thisProcess(), ...who }
    const run = randomUUID()
    await database.query(
      `INSERT INTO ingest_runs (id, machine, process_id, process_started, heartbeat_at, ended_at, dead_after_ms)
       VALUES ($1, $2, $3, $4, ${heartbeat}, ${ended}, 2000)`,
      [run, machine, processId, processStarted],
    )
    const image = fetchedImage()
    await database.query(
      'INSERT INTO plate_lookups (image_sha256, claimed_by, claimed_at) VALUES ($1, $2, now())',
      [image.sha256, run],
    )
    return { image, run }
  }

  /** Tries to get the image: for as long as it takes, or in vain for a while. */
  async function expectKept(image: WantedImage, isKept: boolean): Promise<void> {
    const { ledger, run } = await openLedger(database)
    const claiming = ledger.claim(image, undefined, isKept ? AbortSignal.timeout(400) : never)
    if (isKept) await expect(claiming).rejects.toThrow()
    else expect(await claiming).toMatchObject({ kind: 'mine' })
    await run.end()
  }

  const elsewhere = { machine: 'gate-7 another-boot pid:[1]' }
  const dead = { processStarted: 'long ago' }

  test.each<[what: string, who: Partial<ProcessIdentity>, times: object, isKept: boolean]>([
    ['a living run of this machine', {}, {}, true],
    ['a run elsewhere with a heartbeat', elsewhere, {}, isShared],
    ['a run that ended', {}, { ended: 'now()' }, false],
    ['a run elsewhere that ended', elsewhere, { ended: 'now()' }, false],
    [
      'a run elsewhere without a heartbeat for a minute',
      elsewhere,
      { heartbeat: "now() - interval '1 min'" },
      false,
    ],
    [
      'a living run of this machine without a heartbeat for a minute',
      {},
      { heartbeat: "now() - interval '1 min'" },
      false,
    ],
    ['a run of this machine whose process is gone, its heartbeat fresh', dead, {}, false],
    [
      'a run of this machine whose process number nobody has',
      { processId: 2 ** 22 + 1 },
      {},
      false,
    ],
    [
      'a run of another container on this host',
      { machine: `${hostname()} boot pid:[1]`, ...dead },
      {},
      isShared,
    ],
  ])('of %s is kept or taken over as it should be', async (_what, who, times, isKept) => {
    const { image } = await claimedBy(who, times)
    await expectKept(image, isKept)
  })

  test('of a run that is not in the table at all is taken over', async () => {
    const image = fetchedImage()
    const sql = 'INSERT INTO plate_lookups (image_sha256, claimed_by) VALUES ($1, $2)'
    await database.query(sql, [image.sha256, randomUUID()])
    await expectKept(image, false)
  })

  test('whose process dies while another run waits for it is taken over then', async () => {
    const { image, run } = await claimedBy(elsewhere)
    const waiter = await openLedger(opened.openAnother())
    const waiting = waiter.ledger.claim(image, undefined, never)
    await database.query('UPDATE ingest_runs SET ended_at = now() WHERE id = $1', [run])
    expect(await waiting).toMatchObject({ kind: 'mine' })
    await waiter.run.end()
  })

  test('is kept by a heartbeat for longer than silence would keep it', async () => {
    const first = await openLedger(database, { heartbeat: { everyMs: 50, deadAfterMs: 1_500 } })
    const second = await openLedger(opened.openAnother(), {
      heartbeat: { everyMs: 50, deadAfterMs: 1_500 },
    })
    const image = fetchedImage()
    await first.ledger.claim(image, undefined, never)
    const started = performance.now()
    const waiting = second.ledger.claim(image, undefined, AbortSignal.timeout(2_500))
    await expect(waiting).rejects.toThrow()
    expect(performance.now() - started).toBeGreaterThan(2_400)
    await answerOf(first.ledger, plates('nhk552'), { image, isClaimed: true })
    expect(await second.ledger.claim(image, undefined, never)).toMatchObject({ kind: 'known' })
    await Promise.all([first.run.end(), second.run.end()])
  })

  test('of a dead run that was asking again about a known image is freed, and its request is counted', async () => {
    const { ledger, run } = await openLedger(database)
    const { image } = await answerOf(ledger, plates('nhk552'))
    const { run: deadRun } = await claimedBy(dead)
    await database.query(
      'UPDATE plate_lookups SET claimed_by = $2, asking_since = now() WHERE image_sha256 = $1',
      [image.sha256, deadRun],
    )
    const next = await openLedger(opened.openAnother())
    expect(await next.ledger.claim(image, undefined, never)).toMatchObject({ kind: 'known' })
    const [entry] = await database.query(
      'SELECT claimed_by, asking_since, attempts, uncertain FROM plate_lookups WHERE image_sha256 = $1',
      [image.sha256],
    )
    expect(entry).toEqual({ claimed_by: null, asking_since: null, attempts: 2, uncertain: 1 })
    await Promise.all([run.end(), next.run.end()])
  })

  test('is waited for through an outage that comes while the dead are looked for', async () => {
    const { image, run: other } = await claimedBy({})
    let isCut = false
    const cut: Database = {
      ...database,
      async query(sql, values) {
        if (isCut && sql.includes('FROM ingest_runs WHERE ended_at IS NULL')) {
          isCut = false
          await database.query('UPDATE ingest_runs SET ended_at = now() WHERE id = $1', [other])
          throw new DatabaseError('database_down', 'cut', { isTransient: true })
        }
        return database.query(sql, values)
      },
    }
    const run = await beginRun(cut, { account: 'account', delayMs: 0 })
    const outage = createOutage({
      ...{ isAway, sick: sickStatement, probe: run.beat, patienceMs: 60_000, signal: never },
    })
    const ledger = createLedger(cut, run, { force: false, outage })
    isCut = true
    expect(await ledger.claim(image, undefined, never)).toMatchObject({ kind: 'mine' })
    expect(isCut).toBe(false)
    await run.end()
  })

  test('of a dead run stands in the table as ended, once another run begins', async () => {
    const { run: deadRun } = await claimedBy(dead)
    const { run: otherRun } = await claimedBy(elsewhere)
    const { run } = await openLedger(database)
    const sql =
      'SELECT id, ended_at IS NOT NULL AS ended FROM ingest_runs WHERE id = ANY ($1::uuid[])'
    const ids = `{${[deadRun, otherRun, run.id].join()}}`
    const rows = await database.query<{ id: string; ended: boolean }>(sql, [ids])
    const ended = rows.filter((row) => row.ended).map(({ id }) => id)
    expect(ended.sort()).toEqual((isShared ? [deadRun] : [deadRun, otherRun]).sort())
    await run.end()
  })
})
