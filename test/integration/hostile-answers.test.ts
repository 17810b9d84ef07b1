import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseHTML } from 'linkedom'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAnswers } from '../../src/db/answers.ts'
import type { Database } from '../../src/db/database.ts'
import { createSettlement } from '../../src/db/settlement.ts'
import { databaseIdOf, readInSpool } from '../../src/db/spooled-answers.ts'
import { meets } from '../../src/filter.ts'
import { normalize } from '../../src/normalize.ts'
import { amendRows } from '../../src/pipeline.ts'
import { writeReport } from '../../src/report/write-report.ts'
import { type LookupResponse, parseResponse } from '../../src/response.ts'
import { createRowWriter } from '../../src/rows-out.ts'
import { createSpool } from '../../src/spool.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { drawPicture, fetchedImage, wanting } from '../support/drawn-images.ts'
import { answerOf, openLedger, responseWith } from '../support/ledgers.ts'

const never = new AbortController().signal
const links = { urlFor: async (_object: unknown, source: string | undefined) => source }
const BOX = { xmin: -3, ymin: 1.5, xmax: 1e9, ymax: 4 }

/** SQL, JSON paths, HTML, a spreadsheet's formula, a terminal's control characters. */
const HOSTILE = `=1+1'); DROP TABLE vehicle_snapshots; -- $1 \${x} {} [] \\ \\\\ \\u0041 %s " ' </script><script>x</script><img src=x onerror=x></style>\u001b[2J\r\n🚗`

/** An answer with a result of either shape, in which every text is `text`, and every name that the API does not have. */
function answerOfAll(text: string): LookupResponse {
  const guess = { score: 0.5 }
  const region = { ...guess, code: text, value: text }
  const vehicle = {
    ...{ type: text, score: 0.5, box: BOX, [text]: text },
    props: {
      make_model: [{ ...guess, make: text, model: text }],
      orientation: [{ ...guess, value: text }],
      color: [{ ...guess, value: text }],
    },
  }
  const plateMode = {
    ...{ plate: text, score: 0.9, dscore: 0.9, box: BOX, vehicle, region },
    candidates: [{ ...guess, plate: text }],
    model_make: [{ ...guess, make: text, model: text }],
    color: [{ ...guess, color: text }],
    orientation: [{ ...guess, orientation: text }],
  }
  const props = { plate: [{ value: text, score: 0.9 }], region: [region] }
  const vehicleMode = { plate: { type: text, score: 0.9, box: BOX, props }, vehicle }
  const envelope = { uuid: text, filename: text, camera_id: text, timestamp: text, version: text }
  return responseWith([plateMode, vehicleMode], { ...envelope, [text]: text })
}

describe.each(BOTH_DATABASES)('a hostile answer on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  let folder: string
  beforeAll(async () => {
    opened = await open()
    database = opened.database
    folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-hostile-'))
  })
  afterAll(async () => {
    await opened[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  type Row = Record<string, unknown>
  const rowsOf = (sha256: string) =>
    database.query<Row>(
      'SELECT * FROM vehicle_snapshots WHERE image_sha256 = $1 ORDER BY result_index',
      [sha256],
    )
  const notesOf = async (sha256: string) =>
    (await rowsOf(sha256)).map(({ meta }) => (meta as Row)['mended'])

  /** The report on what there is, as elements. */
  async function report() {
    const options = { pictures: 10, picturesBy: 'newest', confidenceThreshold: 0.5 } as const
    const output = join(folder, 'report.html')
    const shell = { version: '1.2.3', signal: never }
    await writeReport(database, async () => undefined, { ...options, output }, shell)
    return parseHTML(await readFile(output, 'utf8')).document
  }

  /** What people and spreadsheets are shown of the plates. */
  async function shown(format: { csv?: boolean }): Promise<string> {
    let text = ''
    const out = (lines: string) => {
      text += lines
    }
    const outBytes = (bytes: Uint8Array) => out(Buffer.from(bytes).toString())
    const writer = createRowWriter(format, { out, outBytes, drained: async () => {} })
    const sql = 'SELECT plate_text FROM vehicle_snapshots'
    await database.readPages(sql, [], writer.write, never)
    writer.end()
    return text
  }

  test('is stored as it is, in both shapes, and shown as text', async () => {
    const bytes = await drawPicture('png')
    const elements: number[] = []
    for (const text of ['text', HOSTILE]) {
      await database.execute('TRUNCATE vehicle_snapshots, plate_lookups')
      const { ledger } = await openLedger(database)
      const image = fetchedImage({ bytes, mime: 'image/png', source: text })
      await ledger.claim(image, undefined, never)
      await ledger.keepBytes(image.sha256, bytes)
      const response = answerOfAll(text)
      await answerOf(ledger, response, { image, isClaimed: true })

      const rows = await rowsOf(image.sha256)
      expect(rows).toHaveLength(2)
      for (const row of rows) {
        const makesModels = [{ make: text, model: text, score: 0.5 }]
        const meta = { vehicle_type: text, candidates: [{ plate: text }], source: text }
        expect(row).toMatchObject({
          ...{ plate_text: text, camera_id: text, snapshot_ref: text, image_url: text },
          ...{ captured_at: null, bbox: BOX, raw_response: response.raw },
          ...{ makes_models: makesModels, colors: [{ color: text }] },
          meta: { ...meta, region: { code: text }, orientation: [{ orientation: text }] },
        })
        expect(row['meta']).not.toHaveProperty('mended')
      }
      const document = await report()
      expect(document.querySelectorAll('.card')).toHaveLength(2)
      expect(document.querySelectorAll('.card')[0]?.textContent).toContain(text)
      elements.push(document.querySelectorAll('*').length)
    }
    expect(elements[1]).toBe(elements[0])
    // Each shown text begins with what a spreadsheet or a terminal would act upon.
    expect(await shown({ csv: true })).toMatch(/^plate_text\s"'=1\+1/)
    expect(await shown({})).toContain('\\x1b[2J\\x0d\\x0a')
    expect(await shown({})).not.toContain('\u001b')
  })

  test('has what PostgreSQL and JSON refuse replaced, and every row says so, whenever it is made', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const text = `{"__proto__":{"a":1},"k\\u0000":"\\ud800","deep":${deep},"n":NaN,"camera_id":"caf\u00e9",
      "results":[{"plate":"a\\u0000","score":0.9},{"plate":"b","score":0.4,"dscore":1e308}]}`
    const response = parseResponse(Buffer.from(text, 'latin1'))
    if (response === undefined) throw new Error('it has results')
    const all = ['depth', 'encoding', 'nul', 'number', 'surrogate']

    // now, and later from the ledger
    const { ledger, run } = await openLedger(database)
    const { image } = await answerOf(ledger, response, { threshold: 0.5 })
    const [row] = await rowsOf(image.sha256)
    expect(row).toMatchObject({ plate_text: 'a\uFFFD', camera_id: 'caf\uFFFD' })
    const raw = JSON.stringify(row?.['raw_response'])
    expect(raw).toContain('"__proto__":{"a":1}')
    expect(raw).toContain('"k\uFFFD":"\uFFFD"')
    for await (const known of createAnswers(database).known()) {
      if (known.sha256 !== image.sha256) continue
      await amendRows(known, known.snapshot.readings.slice(1), [], {
        images: links,
        amend: ledger.amend,
      })
    }
    expect(await notesOf(image.sha256)).toEqual([all, all])

    // when its rows were refused at first
    const refused = fetchedImage({ wanted: wanting({}, { meta: { note: 'x\0' } }) })
    await ledger.claim(refused, undefined, never)
    await ledger.fail(refused, new Error('no rows today'), { response, attempts: 1, uncertain: 0 })
    const claim = await ledger.claim(refused, undefined, never)
    if (claim.kind !== 'mine' || claim.paidAnswer === undefined) throw new Error('it was paid for')
    const snapshot = normalize(claim.paidAnswer.response)
    const stored = { ...refused, object: undefined, url: 'x' }
    await ledger.settle(stored, claim.paidAnswer, snapshot, snapshot.readings.filter(meets(0.5)))
    expect(await notesOf(refused.sha256)).toEqual([all])
    expect((await rowsOf(refused.sha256))[0]?.['meta']).toMatchObject({ note: 'x\uFFFD' })

    // and when it had to wait on the disk
    const waiting = { ...fetchedImage(), object: undefined, url: undefined }
    const databaseId = await databaseIdOf(database)
    const runId = '11111111-1111-4111-8111-111111111111'
    const away = new Error('The database is away.')
    const { settle } = createSettlement({
      ...{ database, runId },
      outage: {
        async through(_work, beforeWait) {
          await beforeWait?.()
          throw away
        },
      },
      safety: { spool: createSpool(folder, databaseId, runId), onTrouble: () => {} },
    })
    const answer = { response, attempts: 1, uncertain: 0 }
    await expect(settle(waiting, answer, snapshot, snapshot.readings)).rejects.toBe(away)
    expect(await readInSpool(database, links, { folder, databaseId })).toMatchObject({ answers: 1 })
    expect(await notesOf(waiting.sha256)).toEqual([all, all])
    await run.end()
  })

  test('with too much for rows is kept, costs nothing more, and gets the rows that a threshold leaves', async () => {
    const { ledger } = await openLedger(database)
    const image = fetchedImage()
    const sure = { plate: 'sure', score: 0.9 }
    const response = responseWith([sure, ...Array(9_999).fill({ plate: 'a', score: 0.1 })])
    const refusing = answerOf(ledger, response, { image })
    const refusal = await refusing.catch((thrown) => thrown)
    expect(refusal).toMatchObject({
      ...{ code: 'answer_unusable', scope: 'image' },
      message: expect.stringMatching(/^The answer about lane-1.* 10,000 of its results .* MB/),
    })
    await ledger.fail(image, refusal, { response, attempts: 1, uncertain: 0 })
    const claim = await ledger.claim(image, undefined, never)
    if (claim.kind !== 'mine' || claim.paidAnswer === undefined) throw new Error('it was paid for')
    await answerOf(ledger, claim.paidAnswer.response, { image, isClaimed: true, threshold: 0.5 })
    expect(await rowsOf(image.sha256)).toMatchObject([{ plate_text: 'sure' }])

    // Fewer are too many where nothing can be compressed.
    const noise = randomBytes(400_000).toString('base64')
    const dense = answerOf(ledger, responseWith(Array(300).fill(sure), { noise }))
    await expect(dense).rejects.toMatchObject({
      message: expect.stringMatching(/ 300 of its results .* where 100 MB is the most\.$/),
    })

    // Rows that are asked for later are as many.
    for await (const known of createAnswers(database).known()) {
      if (known.sha256 !== image.sha256) continue
      const missing = known.snapshot.readings.slice(1)
      const more = amendRows(known, missing, [], { images: links, amend: ledger.amend })
      await expect(more).rejects.toMatchObject({ code: 'answer_unusable' })
    }
  })

  test('with a plate that is too long for an index is refused in plain words, and one that just fits is stored', async () => {
    const { ledger } = await openLedger(database)
    // No two characters alike: nothing of it can be compressed.
    const long = (length: number) =>
      Array.from({ length }, (_, n) => String.fromCharCode(0x4e00 + ((n * 7919) % 20_000))).join('')
    const guesses = Array.from({ length: 300 }, (_, n) => ({
      make: `${n}${long(500)}`,
      model: HOSTILE,
    }))
    const fits = responseWith(
      [{ plate: long(500), score: 0.5, model_make: guesses, color: guesses }],
      {
        ...{ uuid: long(9_000), camera_id: long(9_000) },
      },
    )
    const { image } = await answerOf(ledger, fits)
    expect((await rowsOf(image.sha256))[0]?.['plate_text']).toBe(long(500))
    const refusing = answerOf(ledger, responseWith([{ plate: long(501), score: 0.5 }]))
    await expect(refusing).rejects.toMatchObject({
      code: 'answer_unusable',
      message: expect.stringContaining('the text of a plate has 501 characters'),
    })
  })

  test('keeps scores and boxes as the API wrote them, and takes what is none for none', async () => {
    const { ledger } = await openLedger(database)
    const inverted = { xmin: 9, ymin: 9, xmax: 1, ymax: 1 }
    const results = [
      { plate: 'a', score: -1, dscore: 2, box: BOX },
      { plate: 'b', score: 1e49, box: inverted },
      { plate: 'c', score: '0.9', box: { ...BOX, xmin: 'x' } },
      { plate: 'd', score: null, dscore: 1e308, box: null },
    ]
    const { image } = await answerOf(ledger, responseWith(results))
    const rows = await rowsOf(image.sha256)
    expect(rows.map((row) => [row['plate_confidence'], row['bbox']])).toEqual([
      ['-1', BOX],
      [`1${'0'.repeat(49)}`, null],
      [null, null],
      [null, null],
    ])
    expect(await notesOf(image.sha256)).toEqual(Array(4).fill(['number']))
    expect((await report()).querySelector('body')).not.toBeNull()
  })
})
