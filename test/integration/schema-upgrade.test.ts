import { hash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { applySchema } from '../../src/db/schema.ts'
import { type OpenedDatabase, openEmbedded, openOnServer } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { openLedger } from '../support/ledgers.ts'
import { createOlderTable, insertOlderRow, type OlderRow } from '../support/older-table.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'

const shaOf = (name: string) => hash('sha256', name)
const box = { xmin: 1, ymin: 2, xmax: 3, ymax: 4 }
const result = (plate: string) => ({ plate, score: 0.9, dscore: 0.9, box })
const answer = (...plates: string[]) => ({ results: plates.map(result) })
/** In vehicle mode a plate is an object, or null. */
const vehicleMode = {
  results: [
    { plate: null, vehicle: { type: 'Sedan', score: 0.9, box } },
    { plate: { score: 0.9, box, props: { plate: [{ value: 'abc123', score: 0.9 }] } } },
  ],
}

/** Each image with its rows, in the order they were made. */
const OLDER = {
  /** One plate, one row. */
  single: [{ answer: answer('nhk552') }],
  /** Two plates, of which the older tool kept the first. */
  firstOfTwo: [{ plate: 'AAA111', answer: answer('aaa111', 'bbb222') }],
  /** The same image three times; the middle one is the newest. */
  duplicates: [
    { plate: 'old', answer: answer('old'), day: 1, meta: { source: 'a.jpg' } },
    { plate: 'new', answer: answer('new'), day: 9, meta: { source: 'b.jpg' } },
    { plate: 'old', answer: answer('old'), day: 5, meta: { source: 'c.jpg' } },
  ],
  /** Two rows that say the same of the same result. */
  twice: [
    { answer: answer('nhk552'), day: 3 },
    { answer: answer('nhk552'), day: 2 },
  ],
  vehicles: [{ plate: 'abc123', answer: vehicleMode }],
  /** The API's answer of 2019. */
  bareList: [{ answer: answer('nhk552').results }],
  empty: [{ plate: 'none', answer: answer() }],
  signed: [
    { answer: answer('a1'), url: 'https://b.s3.amazonaws.com/k.jpg?X-Amz-Signature=abc&x=1' },
  ],
  credentials: [{ answer: answer('a1'), url: 'https://user:pass@host/k.jpg' }],
  object: [{ answer: answer('a1'), meta: { s3: { bucket: 'b', key: 'k.jpg' } }, day: null }],
} satisfies Record<string, OlderRow[]>

/** Rows whose image was never answered, as far as they tell: they stay, and the ledger knows nothing of them. */
const UNANSWERED: OlderRow[] = [
  { sha256: null, answer: answer('a1') },
  { sha256: null, answer: answer('a1') },
  { sha256: '', answer: answer('a1') },
  { sha256: 'ABC', answer: answer('a1') },
  ...[null, 'text', 12, true, {}, { results: 'none' }, { results: null }, { detail: 'x' }].map(
    (odd, n) => ({ sha256: shaOf(`odd ${n}`), answer: odd }),
  ),
]

describe.each<[name: string, release: 'oldest' | 'newest' | undefined]>([
  ['the oldest PostgreSQL', 'oldest'],
  ['the newest PostgreSQL', 'newest'],
  ['the embedded one', undefined],
])("an older tool's table on %s", (_name, release) => {
  let server: PostgresServer | undefined
  let opened: OpenedDatabase
  let database: Database
  const ids = new Map<string, string[]>()
  let before: object[]

  const COLUMNS = `id, snapshot_ref, camera_id, captured_at, plate_text, plate_confidence, makes_models, colors, bbox,
    raw_response, image_url, image_data, image_mime, image_size, image_sha256, meta, created_at, updated_at`
  const allRows = () => database.query(`SELECT ${COLUMNS} FROM vehicle_snapshots ORDER BY id`)

  beforeAll(async () => {
    server = release && (await startPostgres(release))
    opened = server === undefined ? await openEmbedded() : await openOnServer(server.url)
    database = opened.database
    await createOlderTable(database)
    for (const [name, rows] of Object.entries<OlderRow[]>(OLDER)) {
      const made: string[] = []
      for (const row of rows) {
        made.push(await insertOlderRow(database, { ...row, sha256: shaOf(name) }))
      }
      ids.set(name, made)
    }
    for (const row of UNANSWERED) await insertOlderRow(database, row)
    before = await allRows()
    await applySchema(database)
  })
  afterAll(async () => {
    await opened[Symbol.asyncDispose]()
    await server?.stop()
  })

  async function placesOf(name: keyof typeof OLDER): Promise<(number | null)[]> {
    const sql = 'SELECT result_index AS place FROM vehicle_snapshots WHERE id = $1'
    const places = await Promise.all(
      (ids.get(name) ?? []).map((id) => database.query<{ place: number | null }>(sql, [id])),
    )
    return places.flat().map(({ place }) => place)
  }

  async function entryOf(name: string) {
    const sql = `SELECT response, source, s3_bucket, s3_key, image_mime, image_size, attempts, answered_at,
        created_at FROM plate_lookups WHERE image_sha256 = $1`
    const [entry] = await database.query<Record<string, unknown>>(sql, [shaOf(name)])
    return entry
  }

  test('loses nothing: every row is there as it was, its id included', async () => {
    expect(await allRows()).toEqual(before)
  })

  test('enters every answered image into the ledger, with its newest answer', async () => {
    const rows = await database.query<{ sha: string }>(
      'SELECT image_sha256 AS sha FROM plate_lookups WHERE response IS NOT NULL',
    )
    expect(rows.map(({ sha }) => sha).sort()).toEqual(Object.keys(OLDER).map(shaOf).sort())
    expect(await entryOf('duplicates')).toMatchObject({
      response: answer('new'),
      source: 'b.jpg',
      attempts: 1,
      image_mime: 'image/jpeg',
      image_size: 1234,
      answered_at: new Date(Date.UTC(2024, 2, 9)),
      created_at: new Date(Date.UTC(2024, 2, 9)),
    })
    expect(await entryOf('bareList')).toMatchObject({ response: answer('nhk552').results })
  })

  test('notes sources without signatures and credentials', async () => {
    expect(await entryOf('signed')).toMatchObject({ source: 'https://b.s3.amazonaws.com/k.jpg' })
    expect(await entryOf('credentials')).toMatchObject({ source: 'https://host/k.jpg' })
    const sources = await database.query<{ source: string }>('SELECT source FROM image_sources')
    const noted = sources.map(({ source }) => source)
    expect(noted).toContain('https://host/k.jpg')
    expect(noted.join()).not.toMatch(/Signature|user:pass/)
  })

  test('notes every source of an image that came several times', async () => {
    const sql = 'SELECT source FROM image_sources WHERE image_sha256 = $1 ORDER BY source'
    const rows = await database.query<{ source: string }>(sql, [shaOf('duplicates')])
    expect(rows.map(({ source }) => source)).toEqual(['a.jpg', 'b.jpg', 'c.jpg'])
  })

  test('keeps where the objects are', async () => {
    expect(await entryOf('object')).toMatchObject({ s3_bucket: 'b', s3_key: 'k.jpg' })
  })

  test.each<[name: keyof typeof OLDER, places: (number | null)[]]>([
    ['single', [0]],
    ['firstOfTwo', [0]],
    ['duplicates', [null, 0, null]],
    ['twice', [null, 0]],
    ['vehicles', [1]],
    ['bareList', [0]],
    ['empty', [null]],
  ])('gives one row for each result its place: %s', async (name, places) => {
    expect(await placesOf(name)).toEqual(places)
  })

  test('bills no image of it again, and the plates left out then can be added', async () => {
    const { ledger, run } = await openLedger(database)
    const never = new AbortController().signal
    for (const name of Object.keys(OLDER)) {
      const image = fetchedImage({ sha256: shaOf(name) })
      expect(await ledger.claim(image, undefined, never)).toMatchObject({ kind: 'known' })
    }
    const claim = await ledger.claim(
      fetchedImage({ sha256: shaOf('firstOfTwo') }),
      undefined,
      never,
    )
    if (claim.kind !== 'known') throw new Error('it is known')
    const { known } = claim
    expect(known.rowPlaces).toEqual([0])
    await ledger.amend({ ...known, url: 'x' }, known.snapshot.readings.slice(1), [])
    const rows = await database.query(
      `SELECT plate_text, result_index FROM vehicle_snapshots WHERE image_sha256 = $1 ORDER BY result_index`,
      [shaOf('firstOfTwo')],
    )
    expect(rows).toEqual([
      { plate_text: 'AAA111', result_index: 0 },
      { plate_text: 'bbb222', result_index: 1 },
    ])
    await run.end()
  })

  test('is upgraded again without a change', async () => {
    const everything = async () => [
      await database.query('SELECT * FROM vehicle_snapshots ORDER BY id'),
      await database.query('SELECT * FROM plate_lookups ORDER BY image_sha256'),
      await database.query('SELECT * FROM image_sources ORDER BY image_sha256, source'),
    ]
    const first = await everything()
    await applySchema(database)
    expect(await everything()).toEqual(first)
  })
})
