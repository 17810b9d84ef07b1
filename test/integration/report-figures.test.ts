import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { type FiguresWanted, readFigures } from '../../src/report/figures.ts'
import { readPictures } from '../../src/report/pictures.ts'
import { thresholdWords } from '../../src/report/scores-section.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'

const SHA = 'ab'.repeat(32)

describe.each(BOTH_DATABASES)('the figures of a report on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened[Symbol.asyncDispose]())
  beforeEach(() =>
    database.execute('TRUNCATE plate_lookups, vehicle_snapshots, image_failures, ingest_runs'),
  )

  /** Columns as text; objects as JSON. */
  async function add(table: string, columns: Record<string, unknown>): Promise<void> {
    const values = Object.values(columns).map((value) =>
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    )
    const places = values.map((_, n) => `$${n + 1}`)
    await database.query(
      `INSERT INTO ${table} (${Object.keys(columns)}) VALUES (${places})`,
      values,
    )
  }
  const addImage = (columns: Record<string, unknown> = {}) =>
    add('plate_lookups', { image_sha256: randomUUID(), ...columns })
  const addAnswer = (response: unknown) => addImage({ response, attempts: 1 })
  const addRow = (columns: Record<string, unknown> = {}) => add('vehicle_snapshots', columns)
  const addRun = (columns: Record<string, unknown>) =>
    add('ingest_runs', {
      id: randomUUID(),
      machine: 'm',
      process_id: 1,
      process_started: 's',
      ...columns,
    })

  const figures = (wanted: Partial<FiguresWanted> = {}, zone = 'UTC') =>
    readFigures(database, { pictures: 10, picturesBy: 'newest', ...wanted }, zone)

  test('of an empty one are all zeros', async () => {
    const { totals, overTime, scores, tops, failures, pictureIds } = await figures()
    expect(totals).toEqual({
      ...{ images: 0, answered: 0, lookups: 0, requests: 0, uncertain: 0, saved: 0, rows: 0 },
    })
    expect([overTime.steps, overTime.first, scores.plates, scores.threshold]).toEqual([
      [],
      undefined,
      0,
      0,
    ])
    expect([tops.makes, failures, pictureIds]).toEqual([{ names: 0, most: [] }, [], []])
  })

  test('count images, answers, requests, what was saved, rows and failures by code', async () => {
    await addImage({ response: {}, attempts: 3, uncertain: 1 })
    await addImage({ attempts: 1 })
    await addImage()
    await addRun({ summary: { lookups_saved: 40 } })
    await addRun({ summary: { lookups_saved: 2 } })
    await addRun({ summary: { lookups_saved: '<b>' } })
    await addRun({})
    await addRow({ plate_text: 'nhk552' })
    for (const [source, code] of ['empty_image', 'file_not_found', 'file_not_found'].entries()) {
      await add('image_failures', { source, code, message: '' })
    }
    const { totals, failures } = await figures()
    expect(totals).toEqual({
      ...{ images: 3, answered: 1, lookups: 2, requests: 4, uncertain: 1, saved: 42, rows: 1 },
    })
    expect(failures.map(({ code, sources }) => [code, sources])).toEqual([
      ['file_not_found', 2],
      ['empty_image', 1],
    ])
  })

  test('count the scores of all plates in the answers, whatever their shape, kept or not', async () => {
    await addRun({ confidence_threshold: 0.9, started_at: '2026-01-01Z' })
    await addRun({ confidence_threshold: 0.5, started_at: '2026-01-02Z' })
    await addRun({ started_at: '2026-01-03Z' })
    await addAnswer({ results: [{ plate: 'a', score: 0.15 }, { plate: 'b', score: 1 }, {}] })
    await addAnswer([{ plate: 'c', score: 0.5 }])
    const texts = [
      { value: 'd', score: 0.499 },
      { value: 'e', score: 0.2 },
    ]
    await addAnswer({ results: [{ plate: { score: 0.99, props: { plate: texts } } }] })
    await addAnswer({ results: [{ plate: null, vehicle: {} }, { plate: '', score: 1 }, 7, null] })
    await addAnswer({
      results: [
        { plate: 'f', score: '<b>' },
        { plate: 'g', score: 12 },
      ],
    })
    await addAnswer({ results: 'none' })
    await addAnswer('"none"')
    const { scores } = await figures()
    expect(scores).toMatchObject({ threshold: 0.5, plates: 6, kept: 3, unscored: 1 })
    const filled = scores.bins.flatMap(({ plates, kept }, bin) =>
      plates > 0 ? [[bin, plates, kept]] : [],
    )
    expect(filled).toEqual([
      [3, 1, 0],
      [9, 1, 0],
      [10, 1, 1],
      [19, 2, 2],
    ])
    expect(thresholdWords(scores)).toBe(
      'At a threshold of 0.5, 3 of 6 plates pass; at 0.4 it would be 4, at 0.1 it would be 5, at 0 it would be 6.',
    )
    const { scores: none } = await figures({ confidenceThreshold: 0 })
    expect([none.kept, thresholdWords(none)]).toEqual([
      6,
      'At a threshold of 0, 6 of 6 plates pass; at 0.1 it would be 5, at 0.2 it would be 4, at 0.5 it would be 3.',
    ])
  })

  test('count by the best guess only, the most frequent first, and say how many there are', async () => {
    const toyota = { make: 'Toyota', model: 'Camry', score: 0.9 }
    const ford = { make: 'Ford', model: 'F-150', score: 0.1 }
    await addRow({ makes_models: [toyota, ford], colors: [{ color: 'red' }, { color: 'blue' }] })
    await addRow({ makes_models: [toyota], meta: { region: { code: 'us-ca' } }, camera_id: 'gate' })
    await addRow({ makes_models: [ford], meta: { region: 'us' }, camera_id: '' })
    await addRow({ makes_models: '"text"', colors: [], meta: [] })
    for (let n = 10; n < 22; n += 1) await addRow({ camera_id: `lane ${n}` })
    const { tops } = await figures()
    expect(tops.makes).toEqual({
      names: 2,
      most: [
        { name: 'Toyota', rows: 2 },
        { name: 'Ford', rows: 1 },
      ],
    })
    expect(tops.models.most[0]).toEqual({ name: 'Toyota Camry', rows: 2 })
    expect([tops.colors.most, tops.regions.most]).toEqual([
      [{ name: 'red', rows: 1 }],
      [{ name: 'us-ca', rows: 1 }],
    ])
    expect([tops.cameras.names, tops.cameras.most.length, tops.cameras.most[0]?.name]).toEqual([
      13,
      10,
      'gate',
    ])
  })

  test('tell images by when they were stored and plates by when they were seen, without gaps, in local time', async () => {
    await addImage({ created_at: '2026-03-01 23:30Z' })
    await addImage({ created_at: '2026-03-05 12:00Z' })
    await addRow({ plate_text: 'a', captured_at: '2026-03-02 22:30Z', created_at: '2026-05-01Z' })
    await addRow({ plate_text: 'b', created_at: '2026-03-02 23:30Z' })
    await addRow({ plate_text: 'c', captured_at: 'infinity' })
    const { overTime } = await figures({}, 'Europe/Berlin')
    expect(overTime).toMatchObject({ unit: 'day', timeZone: 'Europe/Berlin' })
    expect(overTime.first).toEqual(new Date('2026-03-01T23:30Z'))
    expect(overTime.steps).toEqual([
      { start: '2026-03-02T00:00:00', images: 1, plates: 1 },
      { start: '2026-03-03T00:00:00', images: 0, plates: 1 },
      { start: '2026-03-04T00:00:00', images: 0, plates: 0 },
      { start: '2026-03-05T00:00:00', images: 1, plates: 0 },
    ])
    expect((await figures({ since: new Date('2026-03-05Z') })).overTime).toMatchObject({
      unit: 'hour',
      steps: [{ start: '2026-03-05T12:00:00', images: 1, plates: 0 }],
    })
    await addImage({ created_at: '2024-01-01Z' })
    expect((await figures()).overTime).toMatchObject({ unit: 'month' })
    await addImage({ created_at: '1970-01-01Z' })
    const { unit, steps } = (await figures()).overTime
    expect([unit, steps.length]).toEqual(['year', 57])
  })

  test('keep to the time that is asked for: from its beginning on, and before its end', async () => {
    const [before, first, end] = ['2026-03-01 11:59:59Z', '2026-03-01 12:00Z', '2026-03-02 12:00Z']
    for (const at of [before, first, end]) {
      await addImage({ created_at: at, attempts: 1, response: [{ plate: 'a', score: 0.9 }] })
      await addRow({ plate_text: 'a', camera_id: 'gate', captured_at: at, created_at: before })
      await add('image_failures', { source: at, code: 'empty_image', message: '', failed_at: at })
      await addRun({ started_at: at, summary: { lookups_saved: 1 } })
    }
    const within = { since: new Date('2026-03-01T12:00Z'), until: new Date('2026-03-02T12:00Z') }
    const { totals, scores, tops, failures, pictureIds, overTime } = await figures(within)
    expect(totals).toMatchObject({ images: 1, answered: 1, requests: 1, saved: 1, rows: 1 })
    expect([scores.plates, tops.cameras.most[0]?.rows, failures[0]?.sources]).toEqual([1, 1, 1])
    expect([pictureIds.length, overTime.steps.length]).toEqual([1, 1])
  })

  test('name the rows whose pictures are wanted, and what is known of them', async () => {
    await addImage({ image_sha256: SHA, s3_bucket: 'b', s3_key: 'k', image_size: 7 })
    const box = { xmin: 1, ymin: 2, xmax: 3, ymax: 4 }
    await addRow({ plate_text: 'new', plate_confidence: 0.9, captured_at: '2026-03-02Z' })
    await addRow({
      ...{ plate_text: 'low', plate_confidence: 0.1, captured_at: '2026-03-01Z', bbox: box },
      ...{ image_sha256: SHA, raw_response: { image_width: 640, image_height: 480 } },
      ...{ meta: { source: 'a.jpg', vehicle_type: 'Bus', s3: { bucket: 'old', key: 'old' } } },
    })
    // Numbers that JavaScript has not are no numbers, and no reason to tell nothing.
    const absurd = { plate_confidence: '1e400', raw_response: '{"image_width": 1e400}' }
    const odd = { created_at: null, bbox: 'null', meta: { s3: { bucket: 1 }, source: 5 } }
    await addRow({ ...absurd, ...odd })
    const read = async (wanted: Partial<FiguresWanted>) =>
      readPictures(database, (await figures(wanted)).pictureIds)
    const newest = await read({})
    expect(newest.map(({ plate }) => plate)).toEqual(['new', 'low', undefined])
    expect(newest[1]).toMatchObject({
      ...{ plate: 'low', score: 0.1, box, sha256: SHA, size: 7, source: 'a.jpg' },
      ...{ vehicleType: 'Bus', object: { bucket: 'b', key: 'k' } },
      ...{ at: new Date('2026-03-01Z'), answerFrame: { width: 640, height: 480 } },
    })
    expect(newest[2]).toEqual({ id: expect.any(String), source: '5' })
    const lowest = await read({ picturesBy: 'lowest-confidence', pictures: 2 })
    expect(lowest.map(({ plate }) => plate)).toEqual(['low', 'new'])
    expect(await read({ pictures: 0 })).toEqual([])
  })
})
