import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCsvHead, readCsvList } from '../../src/lists/csv-list.ts'
import { readJsonList } from '../../src/lists/json-list.ts'
import { anyText, fuzzing } from '../support/fuzzing.ts'

const cases = fuzzing()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fuzz-lists-'))
})
afterAll(() => rm(folder, { recursive: true }))

const jsonLine = fc.oneof(
  anyText(),
  fc.json(),
  fc
    .record({ image: anyText(), camera_id: fc.jsonValue(), meta: fc.jsonValue() })
    .map((value) => JSON.stringify(value)),
)

test('each line of JSON Lines is an image or a bad line, and none is lost', async () => {
  const lines = fc.array(jsonLine.map((text) => text.replace(/[\r\n]/g, '').trim()))
  await fc.assert(
    fc.asyncProperty(lines, async (written) => {
      const kept = written.filter((text) => text !== '' && !text.startsWith('#'))
      const input = Readable.from([Buffer.from(`#\n${written.join('\n')}\n`)])
      const refs = await Array.fromAsync(readJsonList(input, { list: 'a.jsonl' }))
      expect(refs).toHaveLength(kept.length)
      for (const { text, problem } of refs) expect(text === '').toBe(problem !== undefined)
    }),
    cases,
  )
})

test('what a program writes as CSV is read as it was meant, record by record', async () => {
  // A record of nothing but blanks is none, and a comment neither.
  const name = anyText().map((text) => `a${text.toWellFormed().trim()}.jpg`)
  const records = fc.array(fc.tuple(name, fc.constantFrom('', 'gate', 'a;b,"c"\n')), {
    minLength: 1,
  })
  const path = join(folder, 'a.csv')
  await fc.assert(
    fc.asyncProperty(records, fc.constantFrom(',', ';', '\t'), async (rows, delimiter) => {
      const options = { delimiter, quoted_match: /[\r\n#]/ }
      await writeFile(path, stringify([['image', 'camera_id'], ...rows], options))
      const head = await readCsvHead(path)
      const refs = await Array.fromAsync(readCsvList(path, head, undefined))
      const read = refs.map(({ text, told }) => [text, told?.cameraId ?? ''])
      expect(read).toEqual(rows.map(([image, camera]) => [image, camera.trim()]))
    }),
    { ...cases, numRuns: 150 },
  )
})
