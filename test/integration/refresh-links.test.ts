import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import type { S3Object } from '../../src/db/snapshots.ts'
import { endOfLink } from '../../src/link-end.ts'
import { createRefreshed, refreshedLine, refreshLinks } from '../../src/refresh-links.ts'
import { openS3Store } from '../../src/storage/s3-store.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { createBucket } from '../support/databases.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'
import { s3Settings } from '../support/s3-settings.ts'

const NOW = Date.now()
const HOUR_MS = 3_600_000
const SOON = new Date(NOW + 48 * HOUR_MS)
const never = new AbortController().signal

/** A link of Signature Version 4 that ends so many hours from now. */
function link4(hours: number, name = 'a.jpg'): string {
  const day = 24 * HOUR_MS
  const signed = new Date(NOW + hours * HOUR_MS - day).toISOString()
  const date = `${signed.replace(/[-:]|\.\d+/g, '')}`
  return `http://old/plates/${name}?X-Amz-Date=${date}&X-Amz-Expires=86400&X-Amz-Signature=0`
}

/** One of Version 2. */
function link2(hours: number): string {
  const end = Math.round((NOW + hours * HOUR_MS) / 1_000)
  return `http://old/plates/a.jpg?AWSAccessKeyId=a&Signature=b&Expires=${end}`
}

/** A row as an older tool's, which the ledger does not know. @returns its id */
async function insertRow(database: Database, url: string, object?: unknown): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    'INSERT INTO vehicle_snapshots (image_url, meta) VALUES ($1, $2::jsonb) RETURNING id',
    [url, JSON.stringify({ s3: object })],
  )
  return row?.id ?? ''
}

async function urlOf(database: Database, id: string): Promise<string> {
  const [row] = await database.query<{ url: string }>(
    'SELECT image_url AS url FROM vehicle_snapshots WHERE id = $1::uuid',
    [id],
  )
  return row?.url ?? ''
}

/** What refreshes with links that name their object and nothing else. */
async function refresh(
  database: Database,
  linkTo = async ({ key }: S3Object) => link4(100, key),
  signal = never,
) {
  const done = createRefreshed()
  await refreshLinks(database, linkTo, SOON, done, signal)
  return done
}

describe.each(BOTH_DATABASES)('on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())
  beforeEach(() => database.execute('TRUNCATE vehicle_snapshots, plate_lookups'))
  test('links that have ended or end soon are renewed, and nothing else is touched', async () => {
    await using storage = await createBucket()
    const { bucket } = storage
    const here = { bucket, key: 'vehicle-snapshots/a.jpg' }
    const elsewhere = { bucket: 'elsewhere', key: 'odd name+.jpg' }
    const rows: [url: string, object: unknown, renewed: RegExp | undefined][] = [
      [
        link4(-1000),
        here,
        new RegExp(`/${bucket}/vehicle-snapshots/a\\.jpg\\?.*X-Amz-Expires=604800`),
      ],
      [link4(47).replaceAll('X-Amz', 'x-amz'), here, /vehicle-snapshots/],
      [link2(47), here, /vehicle-snapshots/],
      [link4(1), elsewhere, /\/elsewhere\/odd%20name%2B\.jpg\?/],
      [link4(49), here, undefined],
      [link2(49), here, undefined],
      [link4(1), undefined, undefined],
      [link4(1), { bucket: 'b' }, undefined],
      [`s3://${bucket}/a.jpg`, here, undefined],
      ['https://cdn/a.jpg?Expires=1&Signature=b&Key-Pair-Id=c', here, undefined],
      ['https://gate/a.jpg?X-Amz-Date=never&X-Amz-Expires=1', here, undefined],
      ['lane 1/a.jpg', here, undefined],
    ]
    const ids: string[] = []
    for (const [url, object] of rows) ids.push(await insertRow(database, url, object))

    const store = await openS3Store(s3Settings(bucket, { urlExpiresS: 604_800 }))
    const done = await refresh(database, store.linkTo)
    expect(done).toMatchObject({ rows: 8, renewed: 4, good: 2, unknown: 2, changed: 0 })
    expect(done.goodUntil?.getTime()).toBeLessThanOrEqual(NOW + 49 * HOUR_MS)
    expect(refreshedLine(done)).toMatch(
      /^8 links looked at: 4 renewed; 2 still good, the first of them until \d{4}-.*; 2 without a known object\.$/,
    )
    for (const [n, [old, , renewed]] of rows.entries()) {
      const url = await urlOf(database, ids[n] ?? '')
      if (renewed === undefined) expect(url).toBe(old)
      else expect(url).toMatch(renewed)
      if (renewed) expect(endOfLink(url)?.getTime()).toBeGreaterThan(NOW + 167 * HOUR_MS)
    }
    const again = await refresh(database, store.linkTo)
    expect(again).toMatchObject({ rows: 8, renewed: 0, good: 6, unknown: 2 })
    store.close()
  })

  test('the ledger says where an object is, and S3_URL_STYLE=object makes links references', async () => {
    await using storage = await createBucket()
    const { ledger } = await openLedger(database)
    const object = { bucket: storage.bucket, key: 'a.jpg' }
    const url = link4(1)
    const { image } = await answerOf(ledger, plates('abc1', 'abc2'), { object, url })
    await database.query("UPDATE vehicle_snapshots SET meta = meta - 's3'")
    const store = await openS3Store(s3Settings(storage.bucket, { urlStyle: 'object' }))
    expect(await refresh(database, store.linkTo)).toMatchObject({ rows: 2, renewed: 2 })
    const rows = await database.query(
      'SELECT DISTINCT image_sha256, image_url FROM vehicle_snapshots',
    )
    expect(rows).toEqual([
      { image_sha256: image.sha256, image_url: `s3://${storage.bucket}/a.jpg` },
    ])
    expect(refreshedLine(await refresh(database, store.linkTo))).toMatch(
      /^No presigned link was found/,
    )
    store.close()
  })

  test('a row that is written meanwhile keeps what was written', async () => {
    const object = { bucket: 'plates', key: 'a.jpg' }
    const id = await insertRow(database, link4(1), object)
    await insertRow(database, link4(1), object)
    const done = await refresh(database, async ({ key }) => {
      const sql = 'UPDATE vehicle_snapshots SET image_url = $2 WHERE id = $1::uuid'
      await database.query(sql, [id, 'written meanwhile'])
      return link4(100, key)
    })
    expect(done).toMatchObject({ rows: 2, renewed: 1, changed: 1 })
    expect(await urlOf(database, id)).toBe('written meanwhile')
  })

  test('an interruption leaves every row with a whole link, and the next run does the rest', async () => {
    await database.query(
      `INSERT INTO vehicle_snapshots (image_url, meta)
       SELECT $1, '{"s3": {"bucket": "plates", "key": "a.jpg"}}' FROM generate_series(1, 600)`,
      [link4(1)],
    )
    const stop = new AbortController()
    const linkTo = async () => {
      stop.abort()
      return link4(100)
    }
    const done = createRefreshed()
    await expect(refreshLinks(database, linkTo, SOON, done, stop.signal)).rejects.toMatchObject({
      code: 'interrupted',
    })
    expect(done).toMatchObject({ rows: 500, renewed: 500 })
    const count = 'SELECT count(*)::int AS n FROM vehicle_snapshots WHERE image_url = $1'
    expect(await database.query(count, [link4(100)])).toEqual([{ n: 500 }])
    expect(await database.query(count, [link4(1)])).toEqual([{ n: 100 }])
    expect(await refresh(database)).toMatchObject({ rows: 600, good: 500, renewed: 100 })
  })
})

const [[, openServer] = []] = BOTH_DATABASES

test('a row that a run is just writing is not waited for (server PostgreSQL: several processes)', async () => {
  if (openServer === undefined) throw new Error('there is one')
  await using opened = await openServer()
  const { database } = opened
  const object = { bucket: 'plates', key: 'a.jpg' }
  const id = await insertRow(database, link4(1), object)
  await insertRow(database, link4(1), object)
  await opened.openAnother().transaction(async (run) => {
    await run.query('SELECT 1 FROM vehicle_snapshots WHERE id = $1::uuid FOR UPDATE', [id])
    expect(await refresh(database)).toMatchObject({ renewed: 1, changed: 1 })
  })
})
