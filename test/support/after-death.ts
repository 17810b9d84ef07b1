import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import { expect, vi } from 'vitest'
import { pictureOf, sha256Of } from './sample-pictures.ts'
import type { Workplace } from './workplace.ts'

/** One image as the ledger and the rows have it. */
interface Entry {
  sha256: string
  /** The plates of the answer; null when there is none. */
  answer: string[] | null
  saysAnswered: boolean
  isStored: boolean
  isAsking: boolean
  attempts: number
  uncertain: number
  key: string | null
  /** The plates of the rows, in the order of the answer. */
  rows: string[]
  /** Copies of the bytes in the database, and those of them that are the image's. */
  copies: number
  wholeCopies: number
}

export type Entries = ReadonlyMap<string, Entry>

/** One statement: an embedded database is started for each. */
const ENTRIES = `
  SELECT coalesce(l.image_sha256, v.image_sha256) AS sha256,
         CASE WHEN l.response IS NOT NULL
              THEN ARRAY(SELECT r->>'plate' FROM jsonb_array_elements(l.response->'results') r) END AS answer,
         l.answered_at IS NOT NULL OR l.answered_by IS NOT NULL AS "saysAnswered",
         l.stored_at IS NOT NULL AS "isStored", l.asking_since IS NOT NULL AS "isAsking",
         l.attempts, l.uncertain, l.s3_key AS key, coalesce(v.plates, '{}') AS rows,
         coalesce(v.copies, 0) + (l.image_data IS NOT NULL)::int AS copies,
         coalesce(v.whole, 0) + coalesce(encode(sha256(l.image_data), 'hex') = l.image_sha256, false)::int AS "wholeCopies"
  FROM plate_lookups l FULL JOIN (
    SELECT image_sha256, array_agg(plate_text ORDER BY result_index) AS plates, count(image_data)::int AS copies,
           (count(*) FILTER (WHERE encode(sha256(image_data), 'hex') = image_sha256))::int AS whole
    FROM vehicle_snapshots GROUP BY image_sha256
  ) v USING (image_sha256)`

/** A server may still be at the last statements of a process that was killed. */
async function allConnectionsGone({ query, env }: Workplace): Promise<void> {
  if (env['DATABASE_URL'] === undefined) return
  const sql = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'plate-snapshot'`
  await vi.waitFor(async () => expect(await query(sql)).toEqual([]), { timeout: 20_000 })
}

/** By SHA-256. Only while no command is under way. */
async function readEntries(place: Workplace): Promise<Entries> {
  await allConnectionsGone(place)
  const entries = await place.query<Entry>(ENTRIES)
  return new Map(entries.map((entry) => [entry.sha256, entry]))
}

/**
 * What holds at any moment, whatever was killed: rows and answers come and go together, what counts as stored is stored
 * whole, and nothing is half written.
 * @param mayLackRows answers whose rows an earlier run's threshold kept back
 */
export async function expectSound(place: Workplace, mayLackRows = false): Promise<Entries> {
  const entries = await readEntries(place)
  const objects = await objectsOf(place)
  for (const [key, sha256] of objects) expect(key).toContain(sha256)
  for (const entry of entries.values()) {
    const { answer, isStored, key, copies } = entry
    expect(entry.saysAnswered).toBe(answer !== null)
    if (!mayLackRows || entry.rows.length > 0) expect(entry.rows).toEqual(answer ?? [])
    expect(entry.wholeCopies).toBe(copies)
    if (answer !== null) expect(isStored).toBe(true)
    if (isStored && place.bucket === undefined)
      expect(copies).toBeGreaterThanOrEqual(Math.max(1, entry.rows.length))
    if (isStored && place.bucket !== undefined) expect([...objects.keys()]).toContain(key)
  }
  return entries
}

/** The bucket: the SHA-256 of each object's bytes by its key. */
async function objectsOf({ bucket: place }: Workplace): Promise<Map<string, string>> {
  const objects = new Map<string, string>()
  if (place === undefined) return objects
  const { bucket: Bucket, client } = place
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
    for (const { Key = '' } of Contents) {
      const got = await client.send(new GetObjectCommand({ Bucket, Key }))
      objects.set(Key, sha256Of((await got.Body?.transformToByteArray()) ?? ''))
    }
  }
  return objects
}

/** Pictures of `pictureOf` by their names, each with its plates. */
export type Plates = Readonly<Record<string, readonly string[]>>

/**
 * What holds when the list was run to its end: each image has its rows exactly once and was billed, no lookup was billed
 * that the ledger does not count, and `verify` finds nothing.
 * @returns the ledger, and how many lookups were billed beyond one an image
 */
export async function expectDone(
  place: Workplace,
  plates: Plates,
): Promise<{ entries: Entries; extra: number }> {
  const entries = await expectSound(place)
  const names = Object.keys(plates)
  const rows = names.map((name) => [name, entries.get(sha256Of(pictureOf(name)))?.rows])
  expect(Object.fromEntries(rows)).toEqual(plates)
  expect(entries.size).toBe(names.length)
  for (const { sha256, isAsking, attempts } of entries.values()) {
    const billed = place.sandbox.billedCount(sha256)
    expect(isAsking).toBe(false)
    expect(billed).toBeGreaterThanOrEqual(1)
    expect(billed).toBeLessThanOrEqual(attempts)
  }
  const { exitCode, stdout } = await place.run(['verify', '--json', '--read-data'])
  expect(exitCode, stdout).toBe(0)
  return { entries, extra: place.sandbox.billedCount() - names.length }
}
