import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CaptureTime } from '../../src/capture-time.ts'
import { createAnswers } from '../../src/db/answers.ts'
import type { Database } from '../../src/db/database.ts'
import { databaseIdOf, readInSpool } from '../../src/db/spooled-answers.ts'
import { DatabaseError } from '../../src/errors.ts'
import { amendRows, ingestImage } from '../../src/pipeline.ts'
import type { LookupResponse } from '../../src/response.ts'
import { createSpool } from '../../src/spool.ts'
import { createByteaStore } from '../../src/storage/bytea-store.ts'
import type { WantedImage } from '../../src/wanted.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage, wanting } from '../support/drawn-images.ts'
import { exifBytes, jpegWithExif } from '../support/exif-pictures.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'

const never = new AbortController().signal
const ORIGINAL = 0x9003
const EARLY: CaptureTime = { from: 'exif', at: '2026-01-31T07:30:00.250Z' }
/** An answer to a lookup that said when its image was taken. */
const takenAt = (captured: CaptureTime | undefined, ...read: string[]): LookupResponse => {
  const response = plates(...read)
  return { ...response, noted: { ...response.noted, captured } }
}
const LATE: CaptureTime = { from: 'mtime', at: '2026-02-01T00:00:00Z' }
/** What an answer of `plates` says. */
const OF_THE_API = { at: '2026-01-02T03:04:05.123456Z', from: 'api' }

describe.each(BOTH_DATABASES)('capture times on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  let answers: ReturnType<typeof createAnswers>
  beforeAll(async () => {
    opened = await open()
    database = opened.database
    answers = createAnswers(database)
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  const timesOf = async (sha256: string) =>
    database.query(
      `SELECT to_char(captured_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
         meta->>'captured_at_from' AS from
       FROM vehicle_snapshots WHERE image_sha256 = $1 ORDER BY result_index`,
      [sha256],
    )
  /** All rows of an image anew, from what the ledger has. */
  const reprocess = async (sha256: string) => {
    for await (const known of answers.known()) {
      if (known.sha256 !== sha256) continue
      const images = createByteaStore(async () => {})
      await amendRows(known, [], known.rowPlaces, { images, amend: answers.amend })
      const missing = known.snapshot.readings
      await amendRows({ ...known, rowPlaces: [] }, missing, [], { images, amend: answers.amend })
    }
  }
  const claimOf = async (image: WantedImage) =>
    (await openLedger(database)).ledger.claim(image, undefined, never)

  test.each<[captured: CaptureTime | undefined, times: object]>([
    [EARLY, { at: '2026-01-31T07:30:00.250000Z', from: 'exif' }],
    [
      { from: 'list', at: LATE.at },
      { at: '2026-02-01T00:00:00.000000Z', from: 'list' },
    ],
    [{ from: 'nobody' }, { at: null, from: null }],
    [undefined, OF_THE_API],
  ])('%j stays in all rows, also in later ones and beside a copy', async (captured, times) => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage({ captured })
    await answerOf(ledger, takenAt(captured, 'a9', 'a8'), { image, threshold: 0.85 })
    expect(await timesOf(image.sha256)).toEqual([times])

    const copy = await claimOf({ ...image, source: 'copy.jpg', captured: LATE })
    expect(copy).toMatchObject({ kind: 'known', known: { wasAskedDifferently: false } })
    await reprocess(image.sha256)
    expect(await timesOf(image.sha256)).toEqual([times, times])
  })

  test('an answer that waits for its rows keeps the time that was sent with it', async () => {
    const exif = (text: string) => jpegWithExif(exifBytes([[ORIGINAL, text]]))
    const bytes = exif('2026:01:31 12:00:00')
    const capture = { from: ['exif'] as const, timezone: 'Europe/Berlin' }
    const image = fetchedImage({ bytes, wanted: wanting({}, { capture }), captured: EARLY })
    const { ledger } = await openLedger(database)
    await ledger.claim(image, undefined, never)
    const answer = { response: takenAt(EARLY, 'a9'), attempts: 1, uncertain: 0 }
    await ledger.fail(image, new DatabaseError('answer_unusable', 'no room'), answer)

    const next = (await openLedger(database)).ledger
    const { wanted, source } = image
    const line = { line: 1, text: source, source, wanted }
    const signals = { stop: never, end: never }
    const done = await ingestImage(
      line,
      {
        fetchImage: async () => fetchedImage({ bytes }),
        ledger: next,
        images: createByteaStore(next.keepBytes),
        isGivenUp: () => false,
        placeToAsk: async () => () => {},
        lookUpPlates: () => Promise.reject(new Error('it was paid for')),
      },
      signals,
    )
    expect(done).toMatchObject({ outcome: 'stored', rows: 1 })
    const times = { at: '2026-01-31T07:30:00.250000Z', from: 'exif' }
    expect(await timesOf(image.sha256)).toEqual([times])
    await reprocess(image.sha256)
    expect(await timesOf(image.sha256)).toEqual([times])
  })

  test('an image that is asked again has the time of its newest lookup', async () => {
    const { ledger } = await openLedger(database)
    const { image } = await answerOf(ledger, takenAt(EARLY, 'a9'), {
      image: fetchedImage({ captured: EARLY }),
    })
    const forced = await openLedger(database, { force: true })
    const again = { ...image, captured: undefined }
    await answerOf(forced.ledger, plates('a9'), { image: again })
    expect(await timesOf(image.sha256)).toEqual([OF_THE_API])
    await reprocess(image.sha256)
    expect(await timesOf(image.sha256)).toEqual([OF_THE_API])
  })

  test('an answer that was spooled has its time in its rows, and in later ones', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-spool-'))
    const databaseId = await databaseIdOf(database)
    const run = '11111111-1111-4111-8111-111111111111'
    const { sha256, source, mime, size } = fetchedImage()
    await createSpool(folder, databaseId, run).keep({
      ...{ run, sha256, source, mime, size, noted: { mended: [], captured: EARLY } },
      question: { regions: [], mmc: false },
      ...{ threshold: 0, raw: plates('a9').raw, attempts: 1, uncertain: 0 },
      answeredAt: '2026-03-01T00:00:00.000Z',
    })
    const images = createByteaStore(async () => {})
    const readIn = await readInSpool(database, images, { folder, databaseId })
    await rm(folder, { recursive: true })
    expect(readIn).toEqual({ answers: 1, aside: [] })
    const times = { at: '2026-01-31T07:30:00.250000Z', from: 'exif' }
    expect(await timesOf(sha256)).toEqual([times])
    await reprocess(sha256)
    expect(await timesOf(sha256)).toEqual([times])
  })
})
