import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { createBucket } from '../support/databases.ts'
import { startImageServer } from '../support/image-server.ts'
import { answersFor, pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const shaOf = (name: string) => sha256Of(pictureOf(name))
const keyOf = (name: string) => `vehicle-snapshots/${shaOf(name).slice(0, 2)}/${shaOf(name)}.jpg`

/** Every picture shows two plates, but those called `none …`. */
async function ingested(names: string[]) {
  const seen = names.filter((name) => !name.startsWith('none'))
  const answers = answersFor(
    Object.fromEntries(
      seen.map((name) => [
        name,
        [
          ['abc1', 0.9],
          ['abc2', 0.8],
        ] as const,
      ]),
    ),
  )
  const place = await createWorkplace({ storage: 's3', sandbox: { answers } })
  const { exitCode } = await place.ingest(await place.draw(...names))
  expect(exitCode).toBe(0)
  return place
}

interface Problem {
  code: string
  sha256: string | null
  key: string | null
  message: string
  repaired: boolean
}

/** `verify --json`, which never looks up. Problems are told apart by the picture they are about. */
async function verify(place: Workplace, names: string[], ...flags: string[]) {
  const lookups = place.sandbox.lookups.length
  const { exitCode, records, stderr } = await place.run(['verify', '--json', ...flags])
  expect(place.sandbox.lookups).toHaveLength(lookups)
  const nameOf = new Map(names.map((name) => [shaOf(name), name]))
  const problems = (records as Problem[]).slice(0, -1)
  const found = problems.map(({ code, sha256 }) => [nameOf.get(sha256 ?? ''), code]).sort()
  return { exitCode, stderr, problems, found, last: records.at(-1) }
}

async function expectSound(place: Workplace, counts: object) {
  const { exitCode, problems, last } = await verify(place, [], '--read-data')
  expect(problems).toEqual([])
  expect([exitCode, last]).toEqual([0, expect.objectContaining({ problems: 0, ...counts })])
}

/** A statement for each damage, all in one go: the embedded database is slow to open. */
function damage(place: Workplace, statements: string[]) {
  return place.query(`DO $$ BEGIN ${statements.join('; ')}; END $$`)
}
const ofLedger = (name: string, set: string) =>
  `UPDATE plate_lookups SET ${set} WHERE image_sha256 = '${shaOf(name)}'`
const ofRows = (name: string, set: string, and = '') =>
  `UPDATE vehicle_snapshots SET ${set} WHERE image_sha256 = '${shaOf(name)}' ${and}`

/** The same picture with its last byte another. */
function rotten(name: string): Buffer {
  return Buffer.from(
    pictureOf(name).map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte)),
  )
}

const RUN = '00000000-0000-4000-8000-000000000001'
const DEAD_RUN = `INSERT INTO ingest_runs (id, machine, process_id, process_started, ended_at)
  VALUES ('${RUN}', 'gone', 1, '1', now())`
const SILENT_RUN = DEAD_RUN.replace('0001', '0002')
  .replace('ended_at', 'heartbeat_at, dead_after_ms')
  .replace('now()', "now() - interval '1 hour', 1")
const claim = (name: string, run: string, asking = 'NULL') =>
  ofLedger(
    name,
    `claimed_by = '${run}', claimed_at = now(), response = NULL, answered_at = NULL,
    answered_by = NULL, asking_since = ${asking}`,
  )

test('in a bucket and its ledger every damage is found, mended for nothing, and gone then', async () => {
  const damages: [name: string, codes: string[], isOnlyRead?: boolean][] = [
    ['gone.jpg', ['missing_object']],
    ['shorter.jpg', ['wrong_size']],
    ['other.jpg', ['wrong_checksum']],
    ['rotten.jpg', ['damaged_object'], true],
    ['unnamed.jpg', ['damaged_object'], true],
    ['unconfirmed.jpg', ['not_stored']],
    ['unconfirmed and gone.jpg', ['not_stored']],
    ['forgotten.jpg', ['orphan_object', 'row_without_ledger', 'row_without_ledger']],
    ['none forgotten.jpg', ['orphan_object']],
    ['unanswered.jpg', ['answered_without_response']],
    ['unreadable.jpg', ['unreadable_response']],
    ['never answered.jpg', ['row_without_ledger', 'row_without_ledger']],
    ['elsewhere.jpg', ['row_elsewhere']],
    ['unowned.jpg', ['orphan_object', 'row_elsewhere', 'row_elsewhere']],
    ['none claimed.jpg', ['stale_claim']],
    ['none asking.jpg', ['stale_claim']],
    ['sound.jpg', []],
  ]
  const names = damages.map(([name]) => name)
  await using place = await ingested(names)
  const { client, bucket: Bucket = '' } = place.bucket ?? {}
  const put = (name: string, Body: Buffer, sha256?: string) => {
    const Metadata = sha256 === undefined ? undefined : { sha256 }
    return client?.send(new PutObjectCommand({ Bucket, Key: keyOf(name), Body, Metadata }))
  }
  for (const name of ['gone.jpg', 'unconfirmed and gone.jpg']) {
    await client?.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) }))
  }
  await put('shorter.jpg', pictureOf('shorter.jpg').subarray(1), shaOf('shorter.jpg'))
  await put('other.jpg', rotten('other.jpg'), sha256Of(rotten('other.jpg')))
  await put('rotten.jpg', rotten('rotten.jpg'), shaOf('rotten.jpg'))
  await put('unnamed.jpg', rotten('unnamed.jpg'))
  await damage(place, [
    ofLedger('unconfirmed.jpg', 'stored_at = NULL'),
    ofLedger('unconfirmed and gone.jpg', 'stored_at = NULL'),
    ...['forgotten.jpg', 'none forgotten.jpg'].map(
      (name) => `DELETE FROM plate_lookups WHERE image_sha256 = '${shaOf(name)}'`,
    ),
    ofLedger('unanswered.jpg', 'response = NULL'),
    ofLedger('unreadable.jpg', `response = '"lost"'`),
    ofLedger('never answered.jpg', 'response = NULL, answered_at = NULL, answered_by = NULL'),
    ofRows(
      'elsewhere.jpg',
      `meta = jsonb_set(meta, '{s3,key}', '"x.jpg"')`,
      'AND result_index = 1',
    ),
    ofLedger('unowned.jpg', 's3_bucket = NULL, s3_key = NULL'),
    DEAD_RUN,
    SILENT_RUN,
    claim('none claimed.jpg', RUN),
    claim('none asking.jpg', RUN.replace('0001', '0002'), 'now()'),
  ])

  const expected = (isRead: boolean) =>
    damages
      .flatMap(([name, codes, isOnlyRead]) =>
        isOnlyRead && !isRead ? [] : codes.map((code) => [name, code]),
      )
      .sort()
  const quick = await verify(place, names)
  expect([quick.exitCode, quick.found]).toEqual([1, expected(false)])
  expect(quick.last).toMatchObject({ repaired: 0, unread: 1, images: names.length - 2 })
  const thorough = await verify(place, names, '--read-data')
  expect([thorough.exitCode, thorough.found]).toEqual([1, expected(true)])

  const mended = await verify(place, names, '--read-data', '--repair')
  expect(mended.problems.filter(({ repaired }) => !repaired)).toEqual([])
  expect(mended.exitCode).toBe(0)
  await expectSound(place, { images: names.length, objects: names.length, rows: 28, unread: 0 })
  for (const name of names) {
    const got = await client?.send(new GetObjectCommand({ Bucket, Key: keyOf(name) }))
    expect(Buffer.from((await got?.Body?.transformToByteArray()) ?? [])).toEqual(pictureOf(name))
  }
  const attempts = 'SELECT attempts, uncertain FROM plate_lookups WHERE image_sha256 = $1'
  expect(await place.query(attempts, [shaOf('none claimed.jpg')])).toEqual([
    { attempts: 1, uncertain: 0 },
  ])
  expect(await place.query(attempts, [shaOf('none asking.jpg')])).toEqual([
    { attempts: 2, uncertain: 1 },
  ])
  const urls = await place.query<{ url: string }>('SELECT image_url AS url FROM vehicle_snapshots')
  for (const { url } of urls) expect((await fetch(url)).status).toBe(200)
})

test('what cannot be mended for nothing stays as it is, and it says why and what to do', async () => {
  const names = ['gone.jpg', 'changed.jpg', 'none unanswered.jpg', 'beyond.jpg', 'owned twice.jpg']
  await using place = await ingested(names)
  const { client, bucket: Bucket = '' } = place.bucket ?? {}
  const put = (Key: string, Body: Buffer) =>
    client?.send(new PutObjectCommand({ Bucket, Key, Body }))
  for (const name of ['gone.jpg', 'changed.jpg']) {
    await client?.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) }))
  }
  await rm(join(place.folder, 'gone.jpg'))
  await place.write('changed.jpg', pictureOf('another'))
  await place.write('again/gone.jpg', pictureOf('gone.jpg'))
  await put(keyOf('stray.jpg'), pictureOf('not that picture'))
  await put('vehicle-snapshots/notes.txt', Buffer.from('mine'))
  await put(keyOf('owned twice.jpg').replace('.jpg', '.jpeg'), pictureOf('owned twice.jpg'))
  await damage(place, [
    ofLedger('none unanswered.jpg', 'response = NULL'),
    ofRows('beyond.jpg', 'result_index = 7', 'AND result_index = 1'),
  ])
  const { exitCode, problems, last } = await verify(place, names, '--repair')
  expect(exitCode).toBe(1)
  expect(last).toMatchObject({ problems: 7, repaired: 0, stopped: null })
  const messages = new Map(
    problems.map(({ code, key, sha256, message }) => [`${code} ${key ?? sha256}`, message]),
  )
  const said = (about: string) => messages.get(about) ?? [...messages.keys()].join()
  expect(said(`missing_object ${keyOf('gone.jpg')}`)).toContain(
    'gone.jpg does not exist. Put the image back there',
  )
  expect(said(`missing_object ${keyOf('changed.jpg')}`)).toContain(
    'changed.jpg holds another image now.',
  )
  expect(said(`answered_without_response ${shaOf('none unanswered.jpg')}`)).toContain(
    '(one lookup)',
  )
  expect(said(`row_without_result ${shaOf('beyond.jpg')}`)).toContain('plate-snapshot reprocess')
  expect(said(`orphan_object ${keyOf('stray.jpg')}`)).toContain('not those that its name tells')
  expect(said('orphan_object vehicle-snapshots/notes.txt')).toContain(
    'not one that this tool gives',
  )
  expect(said(`orphan_object ${keyOf('owned twice.jpg').replace('.jpg', '.jpeg')}`)).toContain(
    'another object',
  )
  expect((await verify(place, names, '--repair')).last).toMatchObject({ problems: 7, repaired: 0 })

  // As it was told to.
  await place.write('gone.jpg', pictureOf('gone.jpg'))
  await place.write('changed.jpg', pictureOf('changed.jpg'))
  for (const { code, key } of problems) {
    if (code === 'orphan_object')
      await client?.send(new DeleteObjectCommand({ Bucket, Key: key ?? '' }))
  }
  await place.run(['reprocess'])
  await place.ingest(['none unanswered.jpg'])
  expect((await verify(place, names, '--repair')).exitCode).toBe(0)
  await expectSound(place, { images: 5, rows: 8 })
})

test('images in two buckets, of the older tool, and in the database stand in one ledger', async () => {
  const names = ['bucket.jpg', 'kept.jpg']
  await using place = await ingested(['bucket.jpg'])
  await place.draw('kept.jpg')
  await place.ingest(['kept.jpg'], [], { env: { STORE_IMAGES: 'db' } })
  await using other = await createBucket()
  const older = { bucket: other.bucket, key: 'uploads/2024/old \u00fc+1.jpg' }
  await using web = await startImageServer({ '/old.jpg': pictureOf('old') })
  const put = new PutObjectCommand({ Bucket: older.bucket, Key: older.key, Body: pictureOf('old') })
  await other.client.send(put)
  await place.query(
    `INSERT INTO vehicle_snapshots (image_sha256, plate_text, raw_response, image_url, meta, created_at)
     VALUES ($1, 'old1', '{"results":[{"plate":"old1","score":0.9}]}', $2, $3, now()),
            ($4, 'old2', '{"results":[{"plate":"old2","score":0.9}]}', 'https://x/y.jpg', NULL, now())`,
    [shaOf('old'), `${web.url}/old.jpg`, { s3: older }, shaOf('never stored')],
  )
  await place.run(['migrate'])
  const quick = await verify(place, names)
  expect([quick.exitCode, quick.problems]).toEqual([0, []])
  expect(quick.last).toMatchObject({ images: 4, objects: 2, rows: 4, unread: 1 })
  await expectSound(place, { images: 4, objects: 2, unread: 0 })

  await other.client.send(new DeleteObjectCommand({ Bucket: older.bucket, Key: older.key }))
  // With STORE_IMAGES=db the bucket that is still set is looked at all the same.
  const env = { STORE_IMAGES: 'db' }
  const found = await place.run(['verify', '--json'], { env })
  expect(found.records[0]).toMatchObject({
    code: 'missing_object',
    key: older.key,
    sha256: shaOf('old'),
  })
  const unset = await place.run(['verify', '--json'], { env: { ...env, S3_BUCKET: '' } })
  expect([unset.exitCode, unset.records[0]]).toEqual([
    1,
    expect.objectContaining({ code: 'objects_unchecked' }),
  ])
  const mended = await verify(place, names, '--repair')
  expect(mended.exitCode).toBe(0)
  expect(mended.problems[0]?.message).toContain(`was put again from ${web.url}/old.jpg.`)
  await expectSound(place, { images: 4, objects: 2 })
})
