import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseHTML } from 'linkedom'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { openDecoder } from '../../src/decoding/decoder.ts'
import { InterruptedError } from '../../src/errors.ts'
import { writeReport } from '../../src/report/write-report.ts'
import { sha256Of } from '../../src/sha256.ts'
import { pngBomb } from '../support/bombs.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { FRAGILE, TROUBLE } from '../support/fragile-decoder.ts'

const HOSTILE = `<script>x</script>"'</title></style></svg>]]>--><img src=x onerror=x>\n🚗\u202e&lt; `

describe.each(BOTH_DATABASES)('the page of a report on %s', (_name, open) => {
  let opened: OpenedDatabase
  let database: Database
  let folder: string
  beforeAll(async () => {
    opened = await open()
    database = opened.database
    folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-report-'))
  })
  afterAll(async () => {
    await opened[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  beforeEach(() =>
    database.execute('TRUNCATE plate_lookups, vehicle_snapshots, image_failures, ingest_runs'),
  )

  const size = { width: 64, height: 40 }
  const draw = () =>
    sharp({ create: { ...size, channels: 3, background: '#345' } })
      .png()
      .toBuffer()

  /** A row, and what else a report tells of, whose every text is `text` of its name. */
  async function addAll(text: (name: string) => string, bytes: Buffer | null): Promise<void> {
    const meta = {
      source: text('source'),
      region: { code: text('region') },
      vehicle_type: text('type'),
      s3: { bucket: text('bucket'), key: text('key') },
    }
    const models = [{ make: text('make'), model: text('model') }]
    const box = { xmin: 10, ymin: 20, xmax: 30, ymax: 26 }
    await database.query(
      `INSERT INTO vehicle_snapshots
         (plate_text, plate_confidence, camera_id, makes_models, colors, meta, bbox, image_data, image_sha256, captured_at)
       VALUES ($1, 0.4, $2, $3, $4, $5, $6, $7, $8, '2026-03-01T12:00Z')`,
      [
        ...[text('plate'), text('camera'), JSON.stringify(models)],
        ...[JSON.stringify([{ color: text('color') }]), JSON.stringify(meta), JSON.stringify(box)],
        ...[bytes, bytes && sha256Of(bytes)],
      ],
    )
    await database.query('INSERT INTO image_failures (source, code, message) VALUES ($1, $2, $3)', [
      ...[randomUUID(), text('code'), text('message')],
    ])
    await database.query(
      `INSERT INTO plate_lookups (image_sha256, response, attempts, created_at) VALUES ($1, $2, 1, '2026-03-03Z')`,
      [randomUUID(), JSON.stringify([{ plate: text('answer'), score: 0.4 }])],
    )
  }

  async function pageOf(
    named: Database,
    pictures = 10,
    signal = new AbortController().signal,
    decoder = openDecoder(),
  ) {
    const output = join(folder, 'report.html')
    const options = { output, pictures, picturesBy: 'newest', confidenceThreshold: 0.5 } as const
    const shell = { version: '1.2.3', signal }
    const report = await writeReport(named, async () => undefined, options, shell, decoder)
    const html = await readFile(output, 'utf8')
    return { report, document: parseHTML(html).document, mode: (await stat(output)).mode }
  }

  test('shows whatever anybody wrote as text, and makes no markup of it', async () => {
    const bytes = await draw()
    const elements: number[] = []
    for (const text of [(name: string) => name, (name: string) => `${HOSTILE}${name}`]) {
      await database.execute('TRUNCATE plate_lookups, vehicle_snapshots, image_failures')
      await addAll(text, bytes)
      await addAll(text, null)
      const { document, mode } = await pageOf({ ...database, name: text('database') })
      elements.push(document.querySelectorAll('*').length)
      const said = document.documentElement.textContent ?? ''
      const names = ['plate', 'region', 'camera', 'source', 'make', 'model', 'color', 'type']
      for (const name of [...names, 'database', 'code', 'bucket', 'key']) {
        expect(said, name).toContain(text(name))
      }
      const attributes = [...document.querySelectorAll('*')].flatMap(({ attributes }) =>
        [...attributes].map((attribute) => attribute.name),
      )
      expect(attributes.filter((attribute) => /^(style$|on)/.test(attribute))).toEqual([])
      expect([...document.querySelectorAll('script')]).toHaveLength(1)
      expect(document.querySelector('img[src="x"]')).toBeNull()
      expect(mode & 0o777).toBe(0o600)
    }
    expect(elements[1]).toBe(elements[0])
  })

  test('draws the box in pixels of the picture, beside the plate cut out, and says where there is none', async () => {
    await addAll((name) => name, await draw())
    await addAll((name) => name, Buffer.from('no picture'))
    await addAll((name) => name, null)
    const { report, document } = await pageOf(database)
    expect(report).toMatchObject({
      pictures: 1,
      lost: { pictures: 1 },
      undecodable: { pictures: 1 },
    })
    const cards = [...document.querySelectorAll('.card')]
    expect(cards).toHaveLength(3)
    const shown = cards.find((card) => card.querySelector('.frame') !== null)
    expect(shown?.querySelector('.frame svg')?.getAttribute('viewBox')).toBe('0 0 64 40')
    const rect = shown?.querySelector('.frame .over')
    const sides = ['x', 'y', 'width', 'height'].map((side) => rect?.getAttribute(side))
    expect(sides).toEqual(['10', '20', '20', '6'])
    const images = [...(shown?.querySelectorAll('img') ?? [])]
    expect(images.map((image) => [image.getAttribute('width'), image.getAttribute('alt')])).toEqual(
      [
        ['64', 'color make model, type, plate plate'],
        ['26', 'Plate plate, cut out of the picture'],
      ],
    )
    const whys = [...document.querySelectorAll('.missing span')]
      .map((why) => why.textContent)
      .toSorted()
    expect(whys).toEqual([
      'It is s3://bucket/key, and S3 is not set up: set S3_BUCKET and the AWS settings.',
      expect.stringMatching(/^The picture cannot be decoded: Input buffer contains unsupported/),
    ])
  })

  test('shows all but the pictures that break the decoder or have too many pixels, and says why', async () => {
    const all = [pngBomb(), TROUBLE.crash, await draw(), TROUBLE.crash]
    for (const bytes of all) await addAll((name) => name, bytes)
    const fragile = openDecoder({ program: FRAGILE, atOnce: 2 })
    const { report, document } = await pageOf(database, 10, undefined, fragile)
    expect(report).toMatchObject({
      pictures: 1,
      undecodable: { pictures: 3 },
      lost: { pictures: 0 },
    })
    const said = [...document.querySelectorAll('.missing span')].map((why) => why.textContent)
    const crashed = 'The picture cannot be decoded: the decoder crashed (SIGABRT).'
    const tooMany = 'it has 50000 x 50000 pixels; the limit is 200000000 in all'
    const expected = [crashed, crashed, `The picture cannot be decoded: ${tooMany}.`]
    expect(said.toSorted()).toEqual(expected.toSorted())
  })

  test('tells every chart in words and as a table, and leaves out what there is none of', async () => {
    expect((await pageOf(database)).document.querySelectorAll('section')).toHaveLength(1)
    await addAll((name) => name, await draw())
    const { document, report } = await pageOf(database, 0)
    const charts = [...document.querySelectorAll('.chart')]
    expect(charts.map((chart) => chart.getAttribute('aria-label'))).toEqual([
      'images by hour, from 2026-03-01 12:00 to 2026-03-03 00:00: 1 in all, most at 2026-03-03 00:00 (1).',
      'plates by hour, from 2026-03-01 12:00 to 2026-03-03 00:00: 1 in all, most at 2026-03-01 12:00 (1).',
      'Plates by confidence. At a threshold of 0.5, 0 of 1 plate passes; at 0.4 it would be 1.',
      ...[
        'make: make',
        'model: make model',
        'color: color',
        'region: region',
        'camera: camera',
      ].map((words) => `Rows by ${words}: 1.`),
      'Failed sources by reason: code: 1.',
      '1 request for 1 image.',
    ])
    for (const chart of charts) {
      expect(chart.getAttribute('role')).toBe('img')
      expect(chart.parentElement?.querySelectorAll('details tbody tr').length).toBeGreaterThan(0)
    }
    expect([report.pictures, document.querySelector('#cards')]).toEqual([0, null])
  })

  test('is not begun, or is thrown away, when it is interrupted', async () => {
    await addAll((name) => name, null)
    const stopped = AbortSignal.abort()
    await rm(join(folder, 'report.html'), { force: true })
    await expect(pageOf(database, 10, stopped)).rejects.toThrow(InterruptedError)
    await expect(stat(join(folder, 'report.html'))).rejects.toThrow('ENOENT')
  })
})
