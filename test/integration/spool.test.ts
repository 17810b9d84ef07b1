import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { databaseIdOf, readInSpool } from '../../src/db/spooled-answers.ts'
import { createSpool, readSpool, type SpooledAnswer, stateFolder } from '../../src/spool.ts'
import { BOTH_DATABASES } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { answerOf, openLedger, plates } from '../support/ledgers.ts'

let folder: string
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'plate-snapshot-spool-')), 'state')
})
afterEach(() => rm(join(folder, '..'), { recursive: true }))

const RUN = '11111111-1111-4111-8111-111111111111'
const links = { urlFor: async (_object: unknown, source: string | undefined) => source }

function spooled(facts: Partial<SpooledAnswer> = {}): SpooledAnswer {
  const { sha256, source, mime, size } = fetchedImage()
  const question = { regions: ['it'], mmc: true, cameraId: 'gate' }
  const raw = plates('nhk552', 'abc1').raw
  const answer = { raw, attempts: 2, uncertain: 1, answeredAt: '2026-01-02T03:04:05.000Z' }
  return { run: RUN, sha256, source, mime, size, question, threshold: 0.85, ...answer, ...facts }
}

test.each<[what: string, given: string, folder: RegExp]>([
  ['XDG_STATE_HOME', '/var/state', /^\/var\/state\/plate-snapshot$/],
  ['the home folder', '~/.local/state', /\/\.local\/state\/plate-snapshot$/],
  ['the home folder when it is relative', 'state', /\/\.local\/state\/plate-snapshot$/],
])('the state folder is in %s', (_what, given, expected) => {
  expect(stateFolder(given)).toMatch(expected)
})

test('an answer is on the disk, for its user only, until the database has it', async () => {
  const spool = createSpool(folder, 'db', RUN)
  const [one, other] = [spooled(), spooled()]
  await Promise.all([spool.keep(one), spool.keep(other), spool.keep(one)])
  expect(spool.left).toBe(2)
  expect((await stat(spool.file)).mode & 0o777).toBe(0o600)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  const [file] = await readSpool(folder, 'db')
  expect(file?.answers).toEqual([one, other])
  expect(await readSpool(folder, 'another')).toEqual([])

  await spool.settled(one.sha256)
  expect(spool.left).toBe(1)
  await spool.settled('never kept')
  await spool.settled(other.sha256)
  expect([spool.left, await readdir(folder)]).toEqual([0, []])
})

test('where nothing was ever kept there is nothing, not even the folder', async () => {
  expect(await readSpool(folder, 'db')).toEqual([])
})

test('a folder that cannot be written is named, with what to do', async () => {
  await writeFile(folder, 'a file')
  const keeping = createSpool(folder, 'db', RUN).keep(spooled())
  await expect(keeping).rejects.toMatchObject({
    code: 'spool_failed',
    message: expect.stringContaining(folder),
    hint: expect.stringContaining('XDG_STATE_HOME'),
  })
})

describe.each(BOTH_DATABASES)('reading in, on %s', (_name, open) => {
  test('settles each answer with the rows that its own run allowed, once', async () => {
    await using opened = await open()
    const { database } = opened
    const databaseId = await databaseIdOf(database)
    const spool = createSpool(folder, databaseId, RUN)
    const answer = spooled()
    await spool.keep(answer)
    const from = { folder, databaseId }
    const [first] = await Promise.all([readInSpool(database, links, from)])
    expect(first).toEqual({ answers: 1, aside: [] })
    expect(await readdir(folder)).toEqual([])
    const rows = await database.query(
      `SELECT v.plate_text, v.image_url, v.camera_id, l.attempts, l.uncertain, l.answered_by, l.asked->'mmc' AS mmc
       FROM vehicle_snapshots v JOIN plate_lookups l USING (image_sha256)`,
    )
    const source = answer.source
    expect(rows).toEqual([
      {
        ...{ plate_text: 'nhk552', image_url: source, camera_id: 'gate', mmc: true },
        ...{ attempts: 2, uncertain: 1, answered_by: RUN },
      },
    ])
    await spool.keep({ ...answer, sha256: answer.sha256 })
    expect(await readInSpool(database, links, from)).toEqual({ answers: 0, aside: [] })
  })

  test('leaves an answer that came meanwhile, and counts what the other one cost', async () => {
    await using opened = await open()
    const { database } = opened
    const { ledger, run } = await openLedger(database)
    const image = fetchedImage()
    await answerOf(ledger, plates('newer'), { image })
    const databaseId = await databaseIdOf(database)
    await createSpool(folder, databaseId, RUN).keep(spooled({ sha256: image.sha256 }))
    await readInSpool(database, links, { folder, databaseId })
    const rows = await database.query(
      'SELECT plate_text, attempts, uncertain FROM vehicle_snapshots JOIN plate_lookups USING (image_sha256)',
    )
    expect(rows).toEqual([{ plate_text: 'newer', attempts: 3, uncertain: 1 }])
    await run.end()
  })

  test('keeps in the ledger an answer whose rows are refused: no run stops for it', async () => {
    await using opened = await open()
    const { database } = opened
    await database.execute(
      "ALTER TABLE vehicle_snapshots ADD CONSTRAINT no_such_plate CHECK (plate_text <> 'nhk552')",
    )
    const databaseId = await databaseIdOf(database)
    await createSpool(folder, databaseId, RUN).keep(spooled())
    const from = { folder, databaseId }
    expect(await readInSpool(database, links, from)).toEqual({ answers: 1, aside: [] })
    const [entry] = await database.query(
      `SELECT response, unsettled->'results'->0->>'plate' AS plate, attempts, asked->'regions' AS regions
       FROM plate_lookups`,
    )
    expect(entry).toEqual({ response: null, plate: 'nhk552', attempts: 2, regions: ['it'] })
  })

  test('leaves the file of a run that is alive: it writes its answers itself', async () => {
    await using opened = await open()
    const { database } = opened
    const { run } = await openLedger(database)
    const databaseId = await databaseIdOf(database)
    await createSpool(folder, databaseId, run.id).keep(spooled())
    const from = { folder, databaseId }
    expect(await readInSpool(database, links, from)).toEqual({ answers: 0, aside: [] })
    await run.end()
    expect(await readInSpool(database, links, from)).toEqual({ answers: 1, aside: [] })
  })

  test('puts aside a file whose last line was cut off, and uses the others', async () => {
    await using opened = await open()
    const { database } = opened
    const databaseId = await databaseIdOf(database)
    const spool = createSpool(folder, databaseId, RUN)
    const answer = spooled()
    await spool.keep(answer)
    await writeFile(spool.file, `${await readFile(spool.file, 'utf8')}{"run":"1111`)
    const aside = `${spool.file}.unreadable`
    const from = { folder, databaseId }
    expect(await readInSpool(database, links, from)).toEqual({ answers: 1, aside: [aside] })
    expect(await readdir(folder)).toHaveLength(1)
    expect(await readInSpool(database, links, from)).toEqual({ answers: 0, aside: [] })
  })
})
