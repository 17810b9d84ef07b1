import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { readOverview } from '../../src/db/overview.ts'
import { type ProcessIdentity, thisProcess } from '../../src/machine.ts'
import { statusLines } from '../../src/status-report.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'

describe.each(BOTH_DATABASES)('the overview of %s', (name, open) => {
  const isEmbedded = name.startsWith('embedded')
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())
  beforeEach(() =>
    database.execute('TRUNCATE plate_lookups, vehicle_snapshots, image_failures, ingest_runs'),
  )

  /** An entry of the ledger; the values are SQL. */
  async function addImage(columns: Record<string, string> = {}): Promise<void> {
    const entry = { image_sha256: `'${randomUUID()}'`, ...columns }
    await database.query(
      `INSERT INTO plate_lookups (${Object.keys(entry)}) VALUES (${Object.values(entry)})`,
    )
  }

  const answeredAt = (time: string, counts = { attempts: '1' }) =>
    addImage({ response: `'{}'`, answered_at: `'${time}'`, ...counts })

  interface RunSettings {
    who?: Partial<ProcessIdentity>
    started?: string
    heartbeat?: string
    ended?: string
    summary?: object
  }

  /** A run as its process, or somebody who found it dead, left it in the table; the times are SQL. */
  async function addRun({
    who,
    started = 'now()',
    heartbeat = 'now()',
    ended = 'NULL',
    summary,
  }: RunSettings = {}): Promise<string> {
    const { machine, processId, processStarted } = { ...thisProcess(), ...who }
    const id = randomUUID()
    const summed = summary === undefined ? null : JSON.stringify(summary)
    await database.query(
      `INSERT INTO ingest_runs (id, machine, process_id, process_started, started_at, heartbeat_at, ended_at, summary)
       VALUES ($1, $2, $3, $4, ${started}, ${heartbeat}, ${ended}, $5::jsonb)`,
      [id, machine, processId, processStarted, summed],
    )
    return id
  }

  const overview = (zone = 'UTC') => readOverview(database, zone)

  test('of an empty one is all zeros, and told in one sentence', async () => {
    const found = await overview()
    expect(found).toEqual({
      ...{ images: 0, answered: 0, rows: 0, lookups: 0, requests: 0, uncertain: 0, unsettled: 0 },
      ...{ failures: [], days: [], timeZone: 'UTC', lastRun: undefined, underWay: [] },
    })
    expect(statusLines('here', found)).toEqual(['Database: here', 'No image is known yet.'])
  })

  test('counts images with and without an answer, rows, requests, and what was paid for in vain', async () => {
    await answeredAt('2026-03-01 12:00Z')
    await addImage({ response: `'{}'`, answered_at: 'now()', attempts: '3', uncertain: '1' })
    await addImage({ attempts: '2', uncertain: '2' })
    await addImage({ attempts: '1', unsettled: `'{}'` })
    await addImage()
    await database.query('INSERT INTO vehicle_snapshots (plate_text) VALUES (NULL), (NULL), (NULL)')
    const found = await overview()
    expect(found).toMatchObject({ images: 5, answered: 2, rows: 3, lookups: 4, requests: 7 })
    expect(found).toMatchObject({ uncertain: 3, unsettled: 1 })
    expect(statusLines('here', found).slice(1, 6)).toEqual([
      '5 images known: 2 answered, 3 waiting for an answer',
      '3 rows',
      '4 lookups in 7 requests',
      '3 requests may have been billed, with the answer lost',
      '1 paid answer whose rows the database refused; the next run with the image tries again and pays nothing',
    ])
  })

  test('an older tool’s rows count although the ledger knows no image', async () => {
    await database.query("INSERT INTO vehicle_snapshots (plate_text) VALUES ('nhk552')")
    expect(statusLines('here', await overview())).toEqual(['Database: here', '1 row'])
  })

  test('counts answers by the day it was for whoever asks', async () => {
    await answeredAt('2026-03-01 22:59:59Z')
    await answeredAt('2026-03-01 23:00:00Z', { attempts: '4' })
    await answeredAt('2026-07-01 22:00:00Z')
    await addImage({ attempts: '9' })
    expect(await overview('Europe/Berlin')).toMatchObject({
      timeZone: 'Europe/Berlin',
      days: [
        { day: '2026-07-02', images: 1, requests: 1, uncertain: 0 },
        { day: '2026-03-02', images: 1, requests: 4, uncertain: 0 },
        { day: '2026-03-01', images: 1, requests: 1, uncertain: 0 },
      ],
    })
    expect((await overview('America/New_York')).days.map(({ day }) => day)).toEqual([
      '2026-07-01',
      '2026-03-01',
    ])
  })

  test('counts days in UTC where the database does not know the time zone', async () => {
    await answeredAt('2026-03-01 23:30Z')
    const { timeZone, days } = await overview('Mars/Olympus_Mons')
    expect([timeZone, days[0]?.day]).toEqual(['UTC', '2026-03-01'])
  })

  test('names the last 14 days that have any, and counts all', async () => {
    await database.query(`
      INSERT INTO plate_lookups (image_sha256, response, answered_at, attempts)
      SELECT n, '{}', timestamptz '2026-01-01 12:00Z' + n * interval '2 days', 1 FROM generate_series(1, 20) n`)
    const { days, lookups } = await overview()
    expect(days.map(({ day }) => day)).toHaveLength(14)
    expect([days[0]?.day, days[13]?.day, lookups]).toEqual(['2026-02-10', '2026-01-15', 20])
  })

  test('counts failed sources by code, and says what to do about the codes it knows', async () => {
    await database.query(
      `
      INSERT INTO image_failures (source, code, message, failed_at, times) VALUES
        ('a', 'empty_image', '', '2026-03-01 12:00Z', 1), ('b', 'file_not_found', '', '2026-03-02 12:00Z', 7),
        ('c', 'file_not_found', '', '2026-03-04 12:00Z', 1), ('d', $1, '', '2026-03-03 12:00Z', 1),
        ('e', 'constructor', '', '2026-03-03 12:00Z', 1)`,
      ['later\x1b[31m'],
    )
    const found = await overview()
    expect(found.failures).toEqual([
      { code: 'file_not_found', sources: 2, newest: new Date('2026-03-04T12:00Z') },
      { code: 'constructor', sources: 1, newest: new Date('2026-03-03T12:00Z') },
      { code: 'empty_image', sources: 1, newest: new Date('2026-03-01T12:00Z') },
      { code: 'later\x1b[31m', sources: 1, newest: new Date('2026-03-03T12:00Z') },
    ])
    const [heads, , first, second, , last] = statusLines('here', found).slice(4)
    expect(heads).toMatch(/^sources {2}code {12}newest +what to do$/)
    expect(first).toMatch(/^ {6}2 {2}file_not_found {2}2026-03-0\d .* Correct the path;/)
    expect(second).toMatch(/^ {6}1 {2}constructor {5}2026-03-0\d \S+ \S+$/)
    expect(last).toMatch(/^ {6}1 {2}later\\x1b\[31m {3}2026-03-0\d \S+ \S+$/)
  })

  const elsewhere = { machine: 'gate-7 id boot pid:[1]' }
  const gone = { processStarted: 'long ago' }
  const minuteAgo = "now() - interval '1 min'"

  // The embedded database is in the hands of whoever asks: no run can be under way then.
  test.each<[what: string, run: RunSettings, onServer: string, onEmbedded?: string]>([
    ['with a summary', { ended: 'now()', summary: { stopped: null } }, 'finished'],
    ['that stopped', { ended: 'now()', summary: { stopped: 'api_down' } }, 'stopped'],
    ['that ended without a summary', { heartbeat: minuteAgo, ended: 'now()' }, 'ended'],
    ['found dead by another', { heartbeat: minuteAgo, ended: minuteAgo }, 'cut_off'],
    ['whose process is gone', { who: gone }, 'cut_off'],
    ['whose process is there', { heartbeat: minuteAgo }, 'under_way', 'cut_off'],
    ['elsewhere with a heartbeat', { who: elsewhere }, 'under_way', 'cut_off'],
    ['elsewhere without', { who: elsewhere, heartbeat: minuteAgo }, 'cut_off'],
  ])('a run %s is told as what it is', async (_what, run, onServer, onEmbedded = onServer) => {
    await addRun(run)
    const { lastRun, underWay } = await overview()
    const state = isEmbedded ? onEmbedded : onServer
    expect(lastRun).toMatchObject({ state, host: run.who?.machine ? 'gate-7' : hostname() })
    expect(underWay).toEqual(state === 'under_way' ? [lastRun] : [])
  })

  test('the last run is the one that began last, whatever the others do', async () => {
    const old = { ended: 'now()', summary: { stopped: null } }
    await addRun({ ...old, started: minuteAgo })
    await addRun(old)
    await addRun({ who: { ...elsewhere, processId: 12 }, started: "now() - interval '1 hour'" })
    await addRun({ who: gone, started: "now() - interval '2 hours'" })
    const { lastRun, underWay } = await overview()
    expect(lastRun).toMatchObject({ state: 'finished' })
    expect(underWay.map(({ processId }) => processId)).toEqual(isEmbedded ? [] : [12])
  })

  test('of runs without a summary the ledger knows what they did', async () => {
    const run = await addRun({ who: gone, heartbeat: "'2026-03-01 12:00Z'" })
    const other = await addRun({ who: elsewhere, started: minuteAgo })
    for (const by of [run, run, other]) {
      await addImage({ response: `'{}'`, answered_at: 'now()', answered_by: `'${by}'` })
    }
    await addImage({ claimed_by: `'${run}'`, asking_since: 'now()' })
    await addImage({ claimed_by: `'${run}'` })
    await addImage({ claimed_by: `'${other}'`, asking_since: 'now()' })
    const found = await overview()
    expect(found.lastRun).toMatchObject({ state: 'cut_off', answered: 2, atWork: 2, asking: 1 })
    const lines = statusLines('here', found)
    const last = lines.findIndex((line) => line.startsWith('Last run: '))
    expect(lines[last]).toMatch(
      /, cut off; its last sign of life was 2026-03-0\d \d\d:\d\d:00 [+-]\d/,
    )
    expect(lines[last + 1]).toBe(
      '  2 images answered, 2 images left unfinished, 1 request may have been billed',
    )
    expect(lines.slice(last + 2)).toEqual(
      isEmbedded
        ? []
        : [
            '',
            expect.stringMatching(/^Another run: began .* on gate-7 \(process \d+\), under way$/),
            '  1 image answered, 1 image at work',
          ],
    )
  })

  test('a run that stopped before its first image does not say that its list names none', async () => {
    await addRun({ ended: 'now()', summary: { images: 0, seconds: 1, stopped: 'api_refused' } })
    const [last, ...rest] = statusLines('here', await overview()).slice(3)
    expect(last).toMatch(/, stopped early \[api_refused\]\. Check PLATE_API_KEY and the credits/)
    expect(rest).toEqual([])
  })
})
