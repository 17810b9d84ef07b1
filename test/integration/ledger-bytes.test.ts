import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import type { FetchedImage } from '../../src/fetch-image.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'

const never = new AbortController().signal

describe.each(BOTH_DATABASES)("an image's bytes on %s", (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** Who holds the bytes, and are they the image's? Places in the answer, or `ledger`. */
  async function holders({ sha256, bytes }: FetchedImage): Promise<(string | number)[]> {
    const rows = await database.query<{ who: number | null; bytes: Uint8Array }>(
      `SELECT result_index AS who, image_data AS bytes FROM vehicle_snapshots
       WHERE image_sha256 = $1 AND image_data IS NOT NULL
       UNION ALL SELECT NULL, image_data FROM plate_lookups
       WHERE image_sha256 = $1 AND image_data IS NOT NULL ORDER BY 1`,
      [sha256],
    )
    for (const row of rows) expect(Buffer.from(row.bytes).equals(bytes)).toBe(true)
    return rows.map(({ who }) => who ?? 'ledger')
  }

  /** As the pipeline does it in `db` mode. */
  async function ingest(texts: string[], { threshold = 0, size = 100 } = {}) {
    const { ledger } = await openLedger(database)
    const image = fetchedImage({ bytes: randomBytes(size) })
    await ledger.claim(image, undefined, never)
    await ledger.keepBytes(image.sha256, image.bytes)
    expect(await holders(image)).toEqual(['ledger'])
    const settled = await answerOf(ledger, plates(...texts), { image, isClaimed: true, threshold })
    const claim = await ledger.claim(image, undefined, never)
    if (claim.kind !== 'known') throw new Error('it is known')
    return { ...settled, ledger, known: { ...claim.known, url: image.source } }
  }

  test('move from the ledger into every row', async () => {
    const { image } = await ingest(['a9', 'a8', 'a7'], { size: 2_000_000 })
    expect(await holders(image)).toEqual([0, 1, 2])
  })

  test.each<[what: string, texts: string[], threshold: number]>([
    ['no plate', [], 0],
    ['no plate above the threshold', ['a9'], 0.95],
  ])('stay in the ledger when there is %s', async (_what, texts, threshold) => {
    const { image } = await ingest(texts, { threshold })
    expect(await holders(image)).toEqual(['ledger'])
  })

  test('move into rows that come later, and back when the last row goes', async () => {
    const { image, ledger, known, readings } = await ingest(['a9', 'a8'], {
      threshold: 0.95,
    })
    await ledger.amend(known, readings.slice(0, 1), [])
    expect(await holders(image)).toEqual([0])
    await ledger.amend(known, readings.slice(1), [])
    expect(await holders(image)).toEqual([0, 1])
    await ledger.amend(known, [], [0])
    expect(await holders(image)).toEqual([1])
    await ledger.amend(known, readings.slice(0, 1), [1])
    expect(await holders(image)).toEqual([0])
    await ledger.amend(known, [], [0])
    expect(await holders(image)).toEqual(['ledger'])
  })

  test.each<[what: string, texts: string[], expected: (string | number)[]]>([
    ['fewer plates', ['b9'], [0]],
    ['more plates', ['b9', 'b8', 'b7'], [0, 1, 2]],
    ['no plate', [], ['ledger']],
  ])('are kept by a newer answer with %s', async (_what, texts, expected) => {
    const { image } = await ingest(['a9', 'a8'])
    const forced = await openLedger(database, { force: true })
    await forced.ledger.claim(image, undefined, never)
    await forced.ledger.keepBytes(image.sha256, image.bytes)
    await answerOf(forced.ledger, plates(...texts), { image, isClaimed: true })
    expect(await holders(image)).toEqual(expected)
  })

  test('are in the rows that a known image gets, when another row has them', async () => {
    const { image, ledger, known, readings } = await ingest(['a9', 'a8'], {
      threshold: 0.85,
    })
    expect(await holders(image)).toEqual([0])
    await ledger.amend(known, readings.slice(1), [])
    expect(await holders(image)).toEqual([0, 1])
  })

  test('go with no row that the image of an object has', async () => {
    const { ledger } = await openLedger(database)
    const object = { bucket: 'b', key: 'k' }
    const { image } = await answerOf(ledger, plates('a9'), { object, url: 's3://b/k' })
    expect(await holders(image)).toEqual([])
  })
})
