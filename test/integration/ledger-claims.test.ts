import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { FetchError, LookupError, LookupFailure } from '../../src/errors.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage, wanting } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'

const never = new AbortController().signal

describe.each(BOTH_DATABASES)('the ledger on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** Two runs as two processes have them: each with its own connections where there can be any. */
  const twoRuns = async () =>
    [await openLedger(database), await openLedger(opened.openAnother())] as const

  async function entryOf(sha256: string) {
    const sql = 'SELECT * FROM plate_lookups WHERE image_sha256 = $1'
    const [entry] = await database.query<Record<string, unknown>>(sql, [sha256])
    return entry ?? {}
  }

  /** Is it unsettled still, after the database has had many a turn? */
  async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
    let isWaiting = true
    const settle = () => {
      isWaiting = false
    }
    promise.then(settle, settle)
    for (let turn = 0; turn < 100; turn += 1) await database.query('SELECT 1')
    return isWaiting
  }

  test('gives an unknown image to the run that asks, and notes who has it and what is asked', async () => {
    const question = { regions: ['mx', 'us-ca'], cameraId: 'gate', engineConfig: { mode: 'fast' } }
    const { ledger, run } = await openLedger(database)
    const image = fetchedImage({ wanted: wanting(question, { meta: { lane: 7 } }) })
    const object = { bucket: 'plates', key: 'a.jpg' }
    expect(await ledger.claim(image, object, never)).toEqual({
      kind: 'mine',
      lostAnswers: 0,
      isTooLarge: false,
      isNew: true,
    })
    expect(await entryOf(image.sha256)).toMatchObject({
      source: image.source,
      image_mime: 'image/jpeg',
      image_size: image.size,
      s3_bucket: 'plates',
      s3_key: 'a.jpg',
      claimed_by: run.id,
      response: null,
      attempts: 0,
      asked: {
        regions: ['mx', 'us-ca'],
        mmc: false,
        config: { mode: 'fast' },
        camera_id: 'gate',
        meta: { lane: 7 },
      },
    })
    await run.end()
  })

  test('knows an answered image in this run and in any other, whatever is asked', async () => {
    const [first, second] = await twoRuns()
    const { image, readings } = await answerOf(first.ledger, plates('nhk552', 'abc123'))
    for (const { ledger } of [first, second]) {
      const claim = await ledger.claim({ ...image, source: 'another.jpg' }, undefined, never)
      expect(claim).toMatchObject({
        kind: 'known',
        known: {
          sha256: image.sha256,
          mime: 'image/jpeg',
          size: image.size,
          source: image.source,
          snapshot: { readings },
          rowPlaces: [0, 1],
          wasAskedDifferently: false,
        },
      })
    }
  })

  test('lets a copy in the same run wait, and gives it the answer', async () => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, never)
    const copies = [1, 2, 3].map((n) =>
      ledger.claim({ ...image, source: `copy-${n}.jpg` }, undefined, never),
    )
    expect(await isWaiting(Promise.race(copies))).toBe(true)
    await answerOf(ledger, plates('nhk552'), { image, isClaimed: true })
    for (const claim of await Promise.all(copies)) {
      expect(claim).toMatchObject({ kind: 'known', known: { rowPlaces: [0] } })
    }
  })

  test('gives waiting copies the error, and the image to the next that asks', async () => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, never)
    const copies = [1, 2].map(() => ledger.claim(image, undefined, never))
    const error = new LookupError('api_rejected', 'no')
    await ledger.fail(image, error)
    for (const copy of copies) await expect(copy).rejects.toBe(error)
    expect(await ledger.claim(image, undefined, never)).toMatchObject({ kind: 'mine' })
  })

  test('gives a released image to one waiting copy, and lets the others wait on', async () => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, never)
    const copies = [1, 2, 3].map(() => ledger.claim(image, undefined, never))
    await ledger.release(image.sha256)
    expect(await Promise.race(copies)).toMatchObject({ kind: 'mine' })
    await answerOf(ledger, plates('nhk552'), { image, isClaimed: true })
    const kinds = (await Promise.all(copies)).map(({ kind }) => kind)
    expect(kinds.sort()).toEqual(['known', 'known', 'mine'])
  })

  test('of many that ask at once, in two runs, gives an image to one', async () => {
    const runs = await twoRuns()
    const image = fetchedImage()
    const asking = [0, 1, 0, 1, 0, 1, 0, 1].map((which) =>
      runs[which]?.ledger.claim(image, undefined, never).then((claim) => ({ claim, which })),
    )
    const first = await Promise.race(asking)
    expect(first?.claim.kind).toBe('mine')
    const winner = runs[first?.which ?? 0]?.ledger
    if (winner) await answerOf(winner, plates('nhk552'), { image, isClaimed: true })
    const kinds = (await Promise.all(asking)).map((asked) => asked?.claim.kind)
    expect(kinds.filter((kind) => kind === 'mine')).toHaveLength(1)
    expect(kinds.filter((kind) => kind === 'known')).toHaveLength(7)
  })

  test("waits for another run's answer", async () => {
    const [first, second] = await twoRuns()
    const image = fetchedImage()
    await first.ledger.claim(image, undefined, never)
    const waiting = second.ledger.claim(image, undefined, never)
    expect(await isWaiting(waiting)).toBe(true)
    await answerOf(first.ledger, plates('nhk552'), { image, isClaimed: true })
    expect(await waiting).toMatchObject({ kind: 'known' })
  })

  test.each(['release', 'fail'] as const)('takes what another run gives back: %s', async (how) => {
    const [first, second] = await twoRuns()
    const image = fetchedImage()
    await first.ledger.claim(image, undefined, never)
    const waiting = second.ledger.claim(image, undefined, never)
    if (how === 'release') await first.ledger.release(image.sha256)
    else await first.ledger.fail(image, new FetchError('short_body', 'short'))
    expect(await waiting).toEqual({ kind: 'mine', lostAnswers: 0, isTooLarge: false, isNew: false })
  })

  test('ends a wait for another run when told to stop, and leaves its claim alone', async () => {
    const [first, second] = await twoRuns()
    const image = fetchedImage()
    await first.ledger.claim(image, undefined, never)
    const stopper = new AbortController()
    const waiting = second.ledger.claim(image, undefined, stopper.signal)
    stopper.abort()
    await expect(waiting).rejects.toThrow()
    expect(await entryOf(image.sha256)).toMatchObject({ claimed_by: first.run.id })
    await second.ledger.release(image.sha256)
    expect(await entryOf(image.sha256)).toMatchObject({ claimed_by: first.run.id })
  })

  test('notes why an image failed, its requests, and how many answers were lost, which later copies share', async () => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, never)
    const lost = new LookupError('answer_lost', 'half of it', { isUncertain: true, body: '{"re' })
    await ledger.fail(image, new LookupFailure(lost, { attempts: 3, uncertain: 2 }))
    expect(await entryOf(image.sha256)).toMatchObject({
      error: { code: 'answer_lost', message: 'half of it', body: '{"re' },
      attempts: 3,
      uncertain: 2,
      claimed_by: null,
      response: null,
    })
    await expect(ledger.claim(image, undefined, never)).rejects.toMatchObject({ attempts: 0 })
    const next = await openLedger(opened.openAnother())
    const claim = await next.ledger.claim(image, undefined, never)
    expect(claim).toEqual({ kind: 'mine', lostAnswers: 2, isTooLarge: false, isNew: false })
    await answerOf(next.ledger, plates('nhk552'), { image, isClaimed: true })
    expect(await entryOf(image.sha256)).toMatchObject({ attempts: 4, uncertain: 2, error: null })
  })

  test('a copy later in the same run shares a failure in which nothing was lost, too', async () => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, never)
    const failed = new LookupError('api_error', 'the API answered 500')
    await ledger.fail(image, new LookupFailure(failed, { attempts: 6, uncertain: 0 }))
    const copy = ledger.claim({ ...image, source: 'b.jpg' }, undefined, never)
    await expect(copy).rejects.toMatchObject({ code: 'api_error', attempts: 0, uncertain: 0 })
    expect(await entryOf(image.sha256)).toMatchObject({ attempts: 6, claimed_by: null })
  })

  test.each<[what: string, text: string]>([
    ['NUL characters', 'a\0b'],
    ['half of a surrogate pair', 'a\ud83d'],
  ])('notes a failure whose answer holds %s', async (_what, text) => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage()
    await ledger.claim(image, undefined, never)
    await ledger.fail(image, new LookupError('answer_lost', text, { body: text }))
    const { error } = await entryOf(image.sha256)
    expect(error).toMatchObject({ code: 'answer_lost', body: text.replace(/[\0\ud83d]/, '\ufffd') })
  })

  test('notes every source an image came by, once', async () => {
    const { ledger } = await openLedger(database)
    const { image } = await answerOf(ledger, plates('nhk552'))
    const long = `https://host/${'x'.repeat(5_000)}`
    for (const source of ['b.jpg', 'b.jpg', long]) {
      await ledger.claim({ ...image, source }, undefined, never)
    }
    const sql = 'SELECT source FROM image_sources WHERE image_sha256 = $1 ORDER BY source'
    const rows = await database.query<{ source: string }>(sql, [image.sha256])
    expect(rows.map(({ source }) => source)).toEqual(['b.jpg', long, image.source].sort())
  })
})
