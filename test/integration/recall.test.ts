import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { createRecall } from '../../src/db/recall.ts'
import type { SeenAs } from '../../src/seen-as.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'

const never = new AbortController().signal
const QUESTION = { regions: [], mmc: false }
const FILE: SeenAs = { size: 12, mtime: '1767323045000000001', inode: '18446744073709551615' }

describe.each(BOTH_DATABASES)('what %s remembers of a source', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** What is remembered of each of them. */
  async function recall(...sources: string[]) {
    const recalled = await createRecall(database)(sources)
    return new Map(
      sources.flatMap((source) => {
        const remembered = recalled(source, QUESTION)
        return remembered === undefined ? [] : [[source, remembered] as const]
      }),
    )
  }

  test('is its answered image, its rows, and what tells that it is as it was', async () => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage({ source: 'a.jpg', seenAs: FILE })
    const { readings } = await answerOf(ledger, plates('nhk552'), { image })
    const found = await recall('a.jpg', 'a.jpg', 'unknown.jpg', 'with\0nul')
    expect([...found]).toEqual([
      [
        'a.jpg',
        {
          seenAs: FILE,
          known: expect.objectContaining({
            sha256: image.sha256,
            size: image.size,
            snapshot: expect.objectContaining({ readings }),
            rowPlaces: [0],
          }),
        },
      ],
    ])
  })

  test.each<[what: string, seenAs: SeenAs | undefined, isAnswered: boolean]>([
    ['while its image has no answer', FILE, false],
    ['when nothing tells whether it is as it was', undefined, true],
  ])('is nothing %s', async (what, seenAs, isAnswered) => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage({ source: `${what}.jpg`, seenAs })
    if (isAnswered) await answerOf(ledger, plates(), { image })
    else await ledger.claim(image, undefined, never)
    expect([...(await recall(image.source))]).toEqual([])
  })

  test('is the newest image that it held', async () => {
    const { ledger } = await openLedger(database)
    const source = 'latest.jpg'
    for (const etag of ['"1"', '"2"']) {
      await answerOf(ledger, plates(), { image: fetchedImage({ source, seenAs: { etag } }) })
    }
    expect((await recall(source)).get(source)?.seenAs).toEqual({ etag: '"2"' })
    const kept = await database.query(
      'SELECT 1 FROM image_sources WHERE source = $1 AND seen_as IS NOT NULL',
      [source],
    )
    expect(kept).toHaveLength(1)
  })

  test('goes when it is read and nothing tells any more', async () => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage({ source: 'changing.jpg', seenAs: FILE })
    await answerOf(ledger, plates(), { image })
    await ledger.claim({ ...image, seenAs: undefined }, undefined, never)
    expect([...(await recall(image.source))]).toEqual([])
  })
})
