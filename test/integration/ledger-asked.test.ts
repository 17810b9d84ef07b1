import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { LookupError } from '../../src/errors.ts'
import type { Question } from '../../src/lookup.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage, wanting } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'

const never = new AbortController().signal

describe.each(BOTH_DATABASES)('asking again on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  test.each<[then: Partial<Question>, now: Partial<Question>, isOther: boolean]>([
    [{}, {}, false],
    [{ regions: ['mx', 'us-ca'] }, { regions: ['us-ca', 'mx'] }, false],
    [
      { engineConfig: { a: 1, b: { c: 2, d: 3 } } },
      { engineConfig: { b: { d: 3, c: 2 }, a: 1 } },
      false,
    ],
    [{ cameraId: 'gate' }, { cameraId: 'yard' }, false],
    [{ regions: ['mx'] }, { regions: ['us-ca'] }, true],
    [{ regions: ['mx'] }, {}, true],
    [{}, { mmc: true }, true],
    [{ engineConfig: { mode: 'fast' } }, {}, true],
    [
      { engineConfig: { text_formats: ['a', 'b'] } },
      { engineConfig: { text_formats: ['b', 'a'] } },
      true,
    ],
  ])('an image asked with %j and now with %j', async (then, now, isOther) => {
    const first = await openLedger(database)
    const image = fetchedImage({ wanted: wanting(then) })
    await answerOf(first.ledger, plates('nhk552'), { image })
    const second = await openLedger(database)
    const claim = await second.ledger.claim({ ...image, wanted: wanting(now) }, undefined, never)
    expect(claim).toMatchObject({ kind: 'known', known: { wasAskedDifferently: isOther } })
  })

  test('an answer of an older tool, for which nobody knows what was asked, counts as the same', async () => {
    const image = fetchedImage({ wanted: wanting({ mmc: true }) })
    const sql = 'INSERT INTO plate_lookups (image_sha256, response) VALUES ($1, $2::jsonb)'
    await database.query(sql, [image.sha256, '{"results": []}'])
    const { ledger } = await openLedger(database)
    expect(await ledger.claim(image, undefined, never)).toMatchObject({
      kind: 'known',
      known: { wasAskedDifferently: false, cameraId: undefined, object: undefined },
    })
  })

  test('--force asks once a run, and keeps the newest answer', async () => {
    const first = await openLedger(database)
    const asked = await answerOf(first.ledger, plates('old'))
    const image = { ...asked.image, wanted: wanting({ mmc: true }) }
    const forced = await openLedger(database, { force: true })
    expect(await forced.ledger.claim(image, undefined, never)).toMatchObject({ kind: 'mine' })
    await answerOf(forced.ledger, plates('new'), { image, isClaimed: true })
    expect(await forced.ledger.claim(image, undefined, never)).toMatchObject({
      kind: 'known',
      known: { snapshot: { readings: [{ plate: 'new' }] }, wasAskedDifferently: false },
    })
    const another = await openLedger(database, { force: true })
    expect(await another.ledger.claim(image, undefined, never)).toMatchObject({ kind: 'mine' })
    await another.ledger.release(image.sha256)
  })

  test('a forced lookup that fails leaves the answer there was', async () => {
    const first = await openLedger(database)
    const { image } = await answerOf(first.ledger, plates('kept'))
    const forced = await openLedger(database, { force: true })
    await forced.ledger.claim(image, undefined, never)
    await forced.ledger.fail(image, new LookupError('api_error', 'no'))
    expect(await first.ledger.claim(image, undefined, never)).toMatchObject({
      kind: 'known',
      known: { snapshot: { readings: [{ plate: 'kept' }] }, rowPlaces: [0] },
    })
  })

  test('two forcing runs ask one after the other, an ordinary one does not wait for them', async () => {
    const ordinary = await openLedger(database)
    const { image } = await answerOf(ordinary.ledger, plates('old'))
    const forced = [
      await openLedger(database, { force: true }),
      await openLedger(opened.openAnother(), { force: true }),
    ]
    const claims = forced.map(({ ledger }, which) =>
      ledger.claim(image, undefined, never).then(() => which),
    )
    const first = await Promise.race(claims)
    expect(await ordinary.ledger.claim(image, undefined, never)).toMatchObject({ kind: 'known' })
    const one = forced[first]?.ledger
    if (one) await answerOf(one, plates('first'), { image, isClaimed: true })
    expect((await Promise.all(claims)).sort()).toEqual([0, 1])
    const other = forced[1 - first]?.ledger
    if (other) await answerOf(other, plates('second'), { image, isClaimed: true })
    expect(await ordinary.ledger.claim(image, undefined, never)).toMatchObject({
      known: { snapshot: { readings: [{ plate: 'second' }] } },
    })
  })
})
