import { expect, test } from 'vitest'
import type { Page } from '../../src/db/pages.ts'
import { createRowWriter, type RowFormat } from '../../src/rows-out.ts'

const COLUMNS = [
  { name: 'plate', typeId: 25 },
  { name: 'score', typeId: 1700 },
  { name: 'kept', typeId: 16 },
  { name: 'meta', typeId: 3802 },
  { name: 'notes', typeId: 114 },
]

/** A shell whose texts can be read; bytes end with a line break of their own. */
function listening(drained: () => Promise<void> = async () => {}) {
  const texts: string[] = []
  const shell = {
    out: (text: string) => void texts.push(text),
    outBytes: (bytes: Uint8Array) => void texts.push(String(bytes).replace(/\n$/, '')),
    drained,
  }
  return { shell, texts }
}

/** What comes of pages of rows. */
async function written(format: RowFormat, ...pages: Page['rows'][]): Promise<string[]> {
  const { shell, texts } = listening()
  const writer = createRowWriter(format, shell)
  for (const rows of pages) await writer.write({ columns: COLUMNS, rows })
  writer.end()
  return texts.join('\n').split('\n')
}

const ROW = ['nhk"552,', '0.90400000000000000001', 't', '{"a": [1, "x"]}', '{"a":\n1}']

test('JSON keeps every digit of a number, and JSON as it is, on one line', async () => {
  expect(await written({ json: true }, [ROW], [[null, 'NaN', 'f', null, null]])).toEqual([
    '{"plate":"nhk\\"552,","score":0.90400000000000000001,"kept":true,"meta":{"a": [1, "x"]},"notes":{"a": 1}}',
    '{"plate":null,"score":"NaN","kept":false,"meta":null,"notes":null}',
  ])
})

test('CSV has the names once, however many pages there are, and quotes what needs it', async () => {
  const plain = ['abc', '1', 't', null, null]
  expect(await written({ csv: true }, [ROW], [], [plain])).toEqual([
    'plate,score,kept,meta,notes',
    '"nhk""552,",0.90400000000000000001,t,"{""a"": [1, ""x""]}","{""a"":',
    '1}"',
    'abc,1,t,,',
  ])
})

test.each([
  ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
  ['+49', `'+49`],
  ['-cmd', `'-cmd`],
  ['@sum', `'@sum`],
  ['\t=1', `"'\t=1"`],
  ['\r=1', `"'\r=1"`],
  ['＝1', `'＝1`],
  ['"=1', `"""=1"`],
  ['a;=1', `"a;=1"`],
  ['-1', `'-1`],
])('CSV lets no spreadsheet run the text %j', async (text, cell) => {
  expect((await written({ csv: true }, [[text, null, null, null, null]]))[1]).toBe(`${cell},,,,`)
})

test('CSV gives a name of a column that a spreadsheet would run an apostrophe too', async () => {
  const { shell, texts } = listening()
  const columns = ['=cmd()', '-1', 'plate'].map((name) => ({ name, typeId: 25 }))
  await createRowWriter({ csv: true }, shell).write({ columns, rows: [] })
  expect(texts).toEqual([`'=cmd(),'-1,plate`])
})

test('CSV leaves a negative number a number', async () => {
  const row = ['a', '-0.1000000000000000000001', null, null, null]
  expect((await written({ csv: true }, [row]))[1]).toBe('a,-0.1000000000000000000001,,,')
})

test('a table shows control characters escaped, and is as wide as its first hundred rows', async () => {
  const short = Array.from({ length: 99 }, () => ['a\x1b[2J', '1', 't', null, null])
  const lines = await written(
    {},
    short.slice(0, 1),
    short.slice(1),
    [['ten chars.']],
    [['longer than that', '2']],
  )
  expect(lines.slice(0, 3)).toEqual([
    'plate       score  kept  meta  notes',
    '──────────  ─────  ────  ────  ─────',
    'a\\x1b[2J    1      t',
  ])
  expect(lines.slice(-2)).toEqual(['ten chars.', 'longer than that  2'])
})

test('CSV loses neither the blanks nor the empty rows at the end of a page', async () => {
  const { shell, texts } = listening()
  const { write } = createRowWriter({ csv: true }, shell)
  const columns = [{ name: 'camera_id', typeId: 25 }]
  await write({ columns, rows: [['a  '], [null], [null]] })
  expect(texts).toEqual(['camera_id\na  \n\n'])
})

test.each([{ csv: true }, {}])('without rows the names are still there: %j', async (format) => {
  expect((await written(format, []))[0]).toMatch(/^plate[ ,]+score/)
})

test('a row is written only when the reader has taken what was written before', async () => {
  const gate = Promise.withResolvers<void>()
  const { shell, texts } = listening(() => gate.promise)
  const { write } = createRowWriter({ json: true }, shell)
  let isTaken = false
  const first = write({ columns: [], rows: [[]] }).then(() => {
    isTaken = true
  })
  await Promise.resolve()
  expect([texts, isTaken]).toEqual([['{}'], false])
  gate.resolve()
  await first
  expect(isTaken).toBe(true)
})
