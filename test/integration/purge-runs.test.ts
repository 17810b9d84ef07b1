import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAnswers } from '../../src/db/answers.ts'
import type { Database } from '../../src/db/database.ts'
import { previewPurge } from '../../src/db/purge-preview.ts'
import { databaseIdOf, readInSpool } from '../../src/db/spooled-answers.ts'
import { LookupError, StorageError } from '../../src/errors.ts'
import { createSpool } from '../../src/spool.ts'
import { adoptObject } from '../../src/verify/mend.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'
import { everything, purgeBy } from '../support/purging.ts'
import { isSomebodyWaiting } from '../support/waiting-for-locks.ts'

const never = new AbortController().signal
const RUN = '11111111-1111-4111-8111-111111111111'
const links = { urlFor: async (_object: unknown, source: string | undefined) => source }

describe.each(BOTH_DATABASES)('what a purge took, on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** An answered image with a plate, an object and a source of its own. */
  async function answered(plate: string) {
    const { ledger, run } = await openLedger(database)
    const image = fetchedImage({ source: `lane/${crypto.randomUUID()}.jpg` })
    const { sha256 } = image
    const object = { bucket: 'b', key: `vehicle-snapshots/${sha256.slice(0, 2)}/${sha256}.jpg` }
    await answerOf(ledger, plates(plate), { image, object })
    await run.end()
    return { image, object, sha256 }
  }

  /** Nothing of it but, if so, its tombstone. */
  async function expectGone(sha256: string, source: string, tombstones = 1) {
    const left = await everything(database)
    expect([left.includes(sha256), left.includes(source)]).toEqual([false, false])
    const stones = await database.query<{ purged_at: Date }>(
      'SELECT * FROM purged_images WHERE image_sha256 = $1',
      [sha256],
    )
    expect(stones).toHaveLength(tombstones)
    for (const stone of stones) {
      expect(stone).toEqual({ image_sha256: sha256, purged_at: expect.any(Date) })
    }
  }

  test.each([false, true])(
    'is not claimed again and its source not noted; forced: %s',
    async (force) => {
      const { image, object, sha256 } = await answered('again1')
      const gone = await purgeBy(database, { plates: ['again1'] })
      expect(gone).toMatchObject({
        purged: { images: 1, tombstones: 1 },
        removed: [`s3://b/${object.key}`],
      })
      const { ledger, run } = await openLedger(database, { force })
      const other = fetchedImage()
      const claims = [image, { ...image, source: 'copy.jpg' }, other].map((one) =>
        ledger.claim(one, undefined, never),
      )
      const kinds = (await Promise.all(claims)).map(({ kind }) => kind)
      expect(kinds).toEqual(['purged', 'purged', 'mine'])
      await ledger.release(other.sha256)
      await run.end()
      await expectGone(sha256, image.source)
      expect(await everything(database)).not.toContain('copy.jpg')
      const { stateOf } = createAnswers(database)
      const nothing = { isAnswered: false, isPaid: false, lostAnswers: 0, isTooLarge: false }
      expect(await stateOf(sha256)).toEqual({ ...nothing, isPurged: true })
      expect(await stateOf('none')).toEqual({ ...nothing, isPurged: false })
      expect(await adoptObject(database, object, { sha256, mime: 'image/jpeg', size: 1 })).toBe(
        false,
      )
    },
  )

  test('leaves nothing at all without a tombstone, and may be bought again', async () => {
    const { image, sha256 } = await answered('trace1')
    const changes = { leavesTombstones: false }
    const { purged } = await purgeBy(database, { plates: ['trace1'] }, changes)
    expect(purged).toMatchObject({ images: 1, tombstones: 0 })
    await expectGone(sha256, image.source, 0)
    const { ledger, run } = await openLedger(database)
    expect(await ledger.claim(image, undefined, never)).toMatchObject({ kind: 'mine', isNew: true })
    await ledger.release(sha256)
    await run.end()
  })

  test('stays while a living run has claimed it; what a dead run had comes to nothing', async () => {
    const { image, sha256 } = await answered('busy1')
    const { ledger, run } = await openLedger(database, { force: true })
    expect(await ledger.claim(image, undefined, never)).toMatchObject({ kind: 'mine' })
    const filter = { plates: ['busy1'] }
    // The embedded database is its process's alone: whoever claimed there is gone.
    const inUse = database.isEmbedded ? 0 : 1
    expect(await previewPurge(database, filter)).toMatchObject({ inUse, images: 1 - inUse })
    expect(await purgeBy(database, filter)).toMatchObject({ purged: { images: 1 - inUse } })
    await run.end()
    expect(await purgeBy(database, filter)).toMatchObject({ purged: { images: inUse } })

    const answer = { response: plates('busy1'), attempts: 1, uncertain: 0 }
    const stored = { ...image, url: image.source, object: undefined }
    await ledger.keepBytes(sha256, image.bytes)
    await expect(ledger.asking(image)).rejects.toMatchObject({ code: 'claim_lost' })
    await ledger.settle(stored, answer, { readings: [] }, [])
    await ledger.fail(image, new LookupError('database_failed', 'no'), answer)
    await expectGone(sha256, image.source)
  })

  test('does not come back by an answer that was spooled before', async () => {
    const folder = join(await mkdtemp(join(tmpdir(), 'plate-snapshot-spool-')), 'state')
    const { image, sha256 } = await answered('spool1')
    await purgeBy(database, { plates: ['spool1'] })
    const databaseId = await databaseIdOf(database)
    const costs = { attempts: 1, uncertain: 0, answeredAt: '2026-01-02T03:04:05.000Z' }
    const { raw } = plates('spool1')
    const { source } = image
    await createSpool(folder, databaseId, RUN).keep({
      ...{ run: RUN, sha256, source, question: { regions: [], mmc: false }, threshold: 0, raw },
      ...costs,
    })
    const read = await readInSpool(database, links, { folder, databaseId })
    expect([read, await readdir(folder)]).toEqual([{ answers: 0, aside: [] }, []])
    await expectGone(sha256, source)
    await rm(join(folder, '..'), { recursive: true })
  })

  test('is as it was when its object could not be deleted, and goes when it is tried again', async () => {
    const { image, object, sha256 } = await answered('retry1')
    const filter = { plates: ['retry1'] }
    const removed: string[] = []
    const failing = purgeBy(database, filter, {
      async remove(objects) {
        removed.push(...objects.map(({ key }) => key))
        throw new StorageError('storage_down', 'The server went away.')
      },
    })
    await expect(failing).rejects.toMatchObject({ code: 'storage_down' })
    expect(removed).toEqual([object.key])
    expect(await previewPurge(database, filter)).toMatchObject({ images: 1, rows: 1, objects: 1 })
    expect((await purgeBy(database, filter)).removed).toEqual([`s3://b/${object.key}`])
    await expectGone(sha256, image.source)
  })

  test('is purged for a run, too, that claims it while its object is deleted', async () => {
    const { image, sha256 } = await answered('race1')
    const { ledger, run } = await openLedger(opened.openAnother())
    const watching = opened.openAnother()
    let claiming: ReturnType<typeof ledger.claim> | undefined
    await purgeBy(
      database,
      { plates: ['race1'] },
      {
        async remove() {
          claiming = ledger.claim({ ...image, source: 'race.jpg' }, undefined, never)
          // The embedded database has one connection: there the claim comes after the purge.
          while (!database.isEmbedded && !(await isSomebodyWaiting(watching)));
        },
      },
    )
    expect(await claiming).toEqual({ kind: 'purged' })
    await run.end()
    await expectGone(sha256, image.source)
    expect(await everything(database)).not.toContain('race.jpg')
  })

  test('goes once when two purges are at it, and runs claim the same images', async () => {
    const images = await Promise.all(Array.from({ length: 40 }, () => answered('many1')))
    const { ledger, run } = await openLedger(opened.openAnother())
    const filter = { plates: ['many1'] }
    const purging = [database, opened.openAnother()].map((one) => purgeBy(one, filter))
    const claiming = images
      .toSorted()
      .map(({ image }) => ledger.claim({ ...image, source: 'latest.jpg' }, undefined, never))
    const gone = await Promise.all(purging)
    const kinds = new Set((await Promise.all(claiming)).map(({ kind }) => kind))
    await run.end()
    expect(gone.reduce((sum, { purged }) => sum + purged.images, 0)).toBe(40)
    expect([...kinds].filter((kind) => kind !== 'known' && kind !== 'purged')).toEqual([])
    const left = await everything(database)
    expect(images.filter(({ sha256 }) => left.includes(sha256))).toEqual([])
    expect(left).not.toContain('latest.jpg')
  })
})
