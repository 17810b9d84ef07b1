import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { applySchema, requireSchema, schemaVersion } from '../../src/db/schema.ts'
import { SNAPSHOT_COLUMNS } from '../../src/db/snapshots.ts'
import { QUEUE } from '../../src/queue/boss.ts'
import { installQueue, openQueue } from '../../src/queue/install.ts'
import { type OpenedDatabase, openEmbedded, openOnServer } from '../support/both-databases.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'

/** Written by other means: the database's own, and what is copied inside it (see SNAPSHOT_COLUMNS). */
const OTHER_COLUMNS = ['id', 'raw_response', 'image_data', 'created_at', 'updated_at']

const INDEXES = {
  idx_vehicle_plate_text: 'btree (plate_text)',
  idx_vehicle_created_at: 'btree (created_at)',
  idx_vehicle_makes_models_jsonb: 'gin (makes_models)',
  idx_vehicle_image_sha256: 'btree (image_sha256)',
  idx_vehicle_image_result: 'btree (image_sha256, result_index) WHERE (result_index IS NOT NULL)',
  idx_vehicle_seen_at: 'btree (COALESCE(captured_at, created_at) DESC NULLS LAST, id)',
  idx_vehicle_camera:
    'btree ("left"(camera_id, 100), COALESCE(captured_at, created_at) DESC NULLS LAST, id)',
  idx_vehicle_plate_pattern: `btree ("left"(translate(lower(plate_text), ' -.'::text, ''::text), 100) text_pattern_ops)`,
  idx_vehicle_region: `btree ("left"(lower((meta #>> '{region,code}'::text[])), 100) text_pattern_ops)`,
  idx_vehicle_guesses: expect.stringMatching(/^gin \(.* jsonb_path_ops, .* jsonb_path_ops, /),
}

const TYPES = {
  id: 'uuid',
  snapshot_ref: 'text',
  camera_id: 'text',
  captured_at: 'timestamp with time zone',
  plate_text: 'text',
  plate_confidence: 'numeric',
  makes_models: 'jsonb',
  colors: 'jsonb',
  bbox: 'jsonb',
  raw_response: 'jsonb',
  image_url: 'text',
  image_data: 'bytea',
  image_mime: 'text',
  image_size: 'integer',
  image_sha256: 'text',
  meta: 'jsonb',
  created_at: 'timestamp with time zone',
  updated_at: 'timestamp with time zone',
  result_index: 'integer',
}

async function columnsOf(database: Database): Promise<Record<string, string>> {
  const rows = await database.query<{ name: string; type: string }>(
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
     WHERE table_name = 'vehicle_snapshots'`,
  )
  return Object.fromEntries(rows.map(({ name, type }) => [name, type]))
}

describe.each<[name: string, release: 'oldest' | 'newest' | undefined]>([
  ['the oldest PostgreSQL', 'oldest'],
  ['the newest PostgreSQL', 'newest'],
  ['the embedded one', undefined],
])('the schema on %s', (_name, release) => {
  let server: PostgresServer | undefined
  let opened: OpenedDatabase
  let database: Database

  beforeAll(async () => {
    server = release && (await startPostgres(release))
    opened = server === undefined ? await openEmbedded() : await openOnServer(server.url)
    database = opened.database
  })
  afterAll(async () => {
    await opened[Symbol.asyncDispose]()
    await server?.stop()
  })

  test('is missing at first; an embedded database gets it by itself', async () => {
    expect(await schemaVersion(database)).toBe(0)
    const requiring = requireSchema(database)
    if (database.isEmbedded) return expect(await requiring).toBeUndefined()
    await expect(requiring).rejects.toMatchObject({
      code: 'schema_missing',
      scope: 'run',
      hint: expect.stringContaining('plate-snapshot migrate'),
    })
  })

  test('applies by several at once, and again, and changes nothing then', async () => {
    const others = Array.from({ length: 3 }, opened.openAnother)
    await Promise.all([database, ...others].map(applySchema))
    const before = await columnsOf(database)
    await applySchema(database)
    expect(await columnsOf(database)).toEqual(before)
    expect(await database.query('SELECT version FROM plate_snapshot_schema')).toEqual([
      { version: 5 },
    ])
    expect(await schemaVersion(database)).toBe(5)
    await requireSchema(database)
  })

  test('has the queue beside it, made by several at once', async () => {
    // An embedded database has one process, which makes it once.
    const others = Array.from({ length: database.isEmbedded ? 0 : 3 }, opened.openAnother)
    await Promise.all([database, ...others].map((one) => installQueue(one, 'pgboss')))
    const boss = await openQueue(database, 'pgboss', () => {})
    await boss.insert(QUEUE, [{ data: { image: 'a.jpg' } }])
    const [job] = await boss.fetch(QUEUE)
    expect(job?.data).toEqual({ image: 'a.jpg' })
    await boss.stop()
  })

  test('has the columns that rows are written to, and no others', async () => {
    const columns = await columnsOf(database)
    expect(columns).toEqual(TYPES)
    const written = [...Object.keys(SNAPSHOT_COLUMNS), ...OTHER_COLUMNS]
    expect(Object.keys(columns).sort()).toEqual(written.sort())
  })

  test('has the indexes by their names, one of them unique for what this tool writes', async () => {
    const rows = await database.query<{ name: string; definition: string }>(
      `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
       WHERE tablename = 'vehicle_snapshots' AND indexname LIKE 'idx%'`,
    )
    const found = rows.map(({ name, definition }) => [name, definition.split(' USING ')[1]])
    expect(Object.fromEntries(found)).toEqual(INDEXES)
    const unique = rows.filter(({ definition }) => definition.startsWith('CREATE UNIQUE'))
    expect(unique.map(({ name }) => name)).toEqual(['idx_vehicle_image_result'])
  })

  test('takes rows of an image twice without a place in an answer, and once with one', async () => {
    const insert = 'INSERT INTO vehicle_snapshots (image_sha256, result_index) VALUES ($1, $2)'
    await database.query(insert, ['a', null])
    await database.query(insert, ['a', null])
    await database.query(insert, ['a', 0])
    await expect(database.query(insert, ['a', 0])).rejects.toMatchObject({
      code: 'database_failed',
    })
  })

  test('of an older version is brought up where it may be, and else names the command', async () => {
    await database.query('DELETE FROM plate_snapshot_schema')
    const requiring = requireSchema(database)
    if (database.isEmbedded) await requiring
    else await expect(requiring).rejects.toMatchObject({ code: 'schema_missing' })
    await applySchema(database)

    await database.query('UPDATE plate_snapshot_schema SET version = -1')
    if (!database.isEmbedded) {
      await expect(requireSchema(database)).rejects.toMatchObject({
        code: 'schema_old',
        scope: 'run',
        hint: expect.stringContaining('plate-snapshot migrate'),
      })
    }
    await applySchema(database)
    expect(await schemaVersion(database)).toBe(5)
  })

  test('of a newer version is left alone, and tells to update', async () => {
    await database.query('UPDATE plate_snapshot_schema SET version = 999')
    await expect(requireSchema(database)).rejects.toMatchObject({
      code: 'schema_new',
      scope: 'run',
      message: expect.stringContaining('schema 999'),
    })
    await applySchema(database)
    expect(await schemaVersion(database)).toBe(999)
  })
})
