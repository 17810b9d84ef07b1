import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { createBytes } from '../../src/verify/bytes.ts'
import { verifyLedger } from '../../src/verify/ledger.ts'
import type { Counts, Finding } from '../../src/verify/problem.ts'
import { verifyRows } from '../../src/verify/rows.ts'
import { BOTH_DATABASES } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates, responseWith } from '../support/ledgers.ts'

const never = new AbortController().signal

/** What `verify` does where images are kept in the database, with a store of nothing else. */
async function verify(database: Database, { mayReadData = true, mayRepair = false } = {}) {
  const counts: Counts = { images: 0, objects: 0, rows: 0, problems: 0, repaired: 0, unread: 0 }
  const found: [sha256: string | undefined, code: string, isMended?: boolean | undefined][] = []
  const reach = { publicOnly: false, allowHost: [], local: true, root: undefined }
  const bytes = createBytes(database, undefined, reach, never)
  const report = async ({ sha256, code, mend }: Finding) => {
    if (!mayRepair) return void found.push([sha256, code])
    found.push([sha256, code, (await mend?.())?.isMended])
  }
  const verification = { database, objects: undefined, bytes, mayReadData, counts, report }
  await verifyLedger({ ...verification, signal: never })
  await verifyRows({ ...verification, signal: never })
  await bytes.close()
  return { found, counts }
}

const FLIP = 'image_data = set_byte(image_data, 9, get_byte(image_data, 9) # 1)'
const LEDGER = 'UPDATE plate_lookups SET'
const ROWS = 'UPDATE vehicle_snapshots SET'

/** `isSourceGone`: the bytes must come from the database itself. */
interface Damage {
  sql: string
  /** Default 2. */
  rows?: 0 | 2
  codes: string[]
  isSourceGone?: true
  isOnlyRead?: true
}

const DAMAGES: [what: string, damage: Damage][] = [
  ['no bytes in its rows', { sql: `${ROWS} image_data = NULL`, codes: ['missing_bytes'] }],
  [
    'no bytes in the ledger',
    { sql: `${LEDGER} image_data = NULL`, rows: 0, codes: ['missing_bytes'] },
  ],
  [
    'no bytes in one of its rows',
    {
      sql: `${ROWS} image_data = CASE result_index WHEN 1 THEN image_data END`,
      codes: ['missing_bytes'],
      isSourceGone: true,
    },
  ],
  ['too few bytes', { sql: `${ROWS} image_data = substr(image_data, 2)`, codes: ['wrong_size'] }],
  [
    'other bytes in its rows',
    { sql: `${ROWS} ${FLIP}`, codes: ['damaged_bytes'], isOnlyRead: true },
  ],
  [
    'other bytes in the ledger',
    { sql: `${LEDGER} ${FLIP}`, rows: 0, codes: ['damaged_bytes'], isOnlyRead: true },
  ],
  ['nothing that says it is stored', { sql: `${LEDGER} stored_at = NULL`, codes: ['not_stored'] }],
  [
    'nothing that says it is stored, and no bytes',
    { sql: `${LEDGER} stored_at = NULL, image_data = NULL`, rows: 0, codes: ['not_stored'] },
  ],
  [
    'no ledger entry',
    { sql: 'DELETE FROM plate_lookups', codes: ['row_without_ledger', 'row_without_ledger'] },
  ],
  [
    'a ledger entry that was never answered',
    {
      sql: `${LEDGER} response = NULL, answered_at = NULL, answered_by = NULL`,
      codes: ['row_without_ledger', 'row_without_ledger'],
    },
  ],
  ['no response', { sql: `${LEDGER} response = NULL`, codes: ['answered_without_response'] }],
  [
    'a response without results',
    { sql: `${LEDGER} response = '{"results":7}'`, codes: ['unreadable_response'] },
  ],
]

describe.each(BOTH_DATABASES)('images kept in %s', (_name, open) => {
  test('with any damage are found, mended for nothing, and sound then', async () => {
    await using opened = await open()
    const { database } = opened
    const { ledger, run } = await openLedger(database)
    const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-verify-'))
    const damaged: [sha256: string, damage: Damage][] = []
    for (const [what, damage] of [...DAMAGES, ['none', { sql: '', codes: [] }] as const]) {
      const image = fetchedImage({ source: join(folder, `${what}.jpg`) })
      const { sha256, bytes, source } = image
      await ledger.claim(image, undefined, never)
      await ledger.keepBytes(sha256, bytes)
      const response = damage.rows === 0 ? responseWith([]) : plates('abc1', 'abc2')
      await answerOf(ledger, response, { image, isClaimed: true })
      if (!damage.isSourceGone) await writeFile(source, bytes)
      damaged.push([sha256, { ...damage, codes: [...damage.codes] }])
    }
    await run.end()
    expect(await verify(database)).toMatchObject({ found: [], counts: { images: 13, rows: 20 } })

    for (const [sha256, { sql }] of damaged) {
      if (sql !== '') await database.query(`${sql} WHERE image_sha256 = $1`, [sha256])
    }
    const expected = (keep: (damage: Damage) => boolean, isMended?: true) =>
      damaged
        .filter(([, damage]) => keep(damage))
        .flatMap(([sha256, { codes }]) =>
          codes.map((code) => (isMended ? [sha256, code, true] : [sha256, code])),
        )
        .sort()
    const quick = await verify(database, { mayReadData: false })
    expect(quick.found.sort()).toEqual(expected(({ isOnlyRead }) => !isOnlyRead))
    expect((await verify(database)).found.sort()).toEqual(expected(() => true))
    const mended = await verify(database, { mayRepair: true })
    expect(mended.found.sort()).toEqual(expected(() => true, true))

    expect(await verify(database)).toMatchObject({ found: [], counts: { images: 13, rows: 20 } })
    const held = await database.query<{ name: string; sha256: string }>(`
      SELECT l.image_sha256 AS name, encode(sha256(coalesce(v.image_data, l.image_data)), 'hex') AS sha256
      FROM plate_lookups l LEFT JOIN vehicle_snapshots v USING (image_sha256)`)
    for (const { name, sha256 } of held) expect(sha256).toBe(name)
    expect(held).toHaveLength(23)
    await rm(folder, { recursive: true })
  })

  test('of which a dead run holds one give its claim back, and count its request', async () => {
    await using opened = await open()
    const { database } = opened
    const { ledger, run } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, never)
    // In an embedded database nobody else can be alive.
    const living = database.isEmbedded ? [[image.sha256, 'stale_claim']] : []
    expect((await verify(database)).found).toEqual(living)

    const silent =
      "UPDATE ingest_runs SET heartbeat_at = now() - interval '1 hour', dead_after_ms = 1"
    await database.query(silent)
    expect((await verify(database)).found).toEqual([[image.sha256, 'stale_claim']])
    await database.query('UPDATE ingest_runs SET heartbeat_at = now(), dead_after_ms = 30000')
    await run.end()
    await database.query('UPDATE plate_lookups SET asking_since = now()')
    expect((await verify(database, { mayRepair: true })).found).toEqual([
      [image.sha256, 'stale_claim', true],
    ])
    const left = 'SELECT claimed_by, asking_since, attempts, uncertain FROM plate_lookups'
    expect(await database.query(left)).toEqual([
      { claimed_by: null, asking_since: null, attempts: 1, uncertain: 1 },
    ])
    expect((await verify(database)).found).toEqual([])
  })

  test('and rows that name no image, or no result of the answer, are told of', async () => {
    await using opened = await open()
    const { database } = opened
    const { ledger, run } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, never)
    await ledger.keepBytes(image.sha256, image.bytes)
    await answerOf(ledger, plates('abc1', 'abc2'), { image, isClaimed: true })
    await database.query('UPDATE vehicle_snapshots SET result_index = 2 WHERE result_index = 0')
    await database.query(
      "INSERT INTO vehicle_snapshots (result_index, plate_text) VALUES (0, 'lost')",
    )
    await run.end()
    const { found } = await verify(database, { mayRepair: true })
    expect(found.sort()).toEqual(
      [
        [undefined, 'row_without_ledger', false],
        [image.sha256, 'row_without_result', undefined],
      ].sort(),
    )
  })
})
