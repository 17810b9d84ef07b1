import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFailedList } from '../../src/failed-list.ts'
import type { ImageRef } from '../../src/image-list.ts'
import { type ListOptions, openImageList } from '../../src/lists/open-list.ts'
import { imageRefs } from '../../src/lists/text-list.ts'
import { type Wanted, wantedOfLine } from '../../src/wanted.ts'
import { asOrdinaryUser } from '../support/ordinary-user.ts'

const never = new AbortController().signal

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lists-'))
})
afterAll(() => rm(folder, { recursive: true }))

const open = (path: string, options: ListOptions = {}) =>
  openImageList(path, Readable.from([]), { settle: 0, ...options })
const read = async (path: string, options: ListOptions = {}) => {
  const list = await open(path, options)
  return { ...list, refs: await Array.fromAsync(list.images(never)) }
}
async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}
const problems = (refs: readonly ImageRef[]) => refs.map(({ problem }) => problem?.message)

test('a line of JSON says what is known of its image', async () => {
  const whole = {
    image: 'a.jpg',
    camera_id: 7,
    captured_at: '2026-01-31T08:30:00+01:00',
    regions: ['FR', 'us-ca'],
    meta: { lane: 2 },
  }
  const lines = [
    JSON.stringify(whole),
    '',
    '# a comment',
    '{"image":"b.jpg","regions":"fr us-ca","camera_id":null}',
  ]
  const path = await write('all.jsonl', `\uFEFF${lines.join('\r\n')}`)
  const { kind, count, refs } = await read(path)

  expect({ kind, count }).toEqual({ kind: 'jsonl', count: 2 })
  expect(refs).toEqual([
    {
      ...{ line: 1, text: 'a.jpg', source: 'a.jpg', written: lines[0] },
      told: {
        ...{ cameraId: '7', capturedAt: '2026-01-31T07:30:00Z', meta: { lane: 2 } },
        regions: ['fr', 'us-ca'],
      },
    },
    {
      ...{ line: 4, text: 'b.jpg', source: 'b.jpg', written: lines[3] },
      told: { regions: ['fr', 'us-ca'] },
    },
  ])
})

test.each<[what: string, line: string, why: string]>([
  ['is a path', 'a.jpg', 'not JSON; write one object a line, such as {"image":"a.jpg"}'],
  [
    'is a list',
    '["a.jpg"]',
    'not a JSON object; a line may have image, camera_id, captured_at, regions, meta',
  ],
  ['names no image', '{"camera_id":"gate"}', 'image is missing: a path or a URL'],
  ['has an empty image', '{"image":" "}', 'image is empty: a path or a URL'],
  [
    'has a key that means nothing',
    '{"image":"a.jpg","camera":"gate"}',
    '"camera" means nothing here; a line may have image, camera_id, captured_at, regions, meta',
  ],
  [
    'has no time in captured_at',
    '{"image":"a.jpg","captured_at":"yesterday"}',
    'captured_at must be a time such as 2026-01-31T08:30:00+01:00; without a zone it needs --timezone',
  ],
  [
    'has a number in regions',
    '{"image":"a.jpg","regions":[1]}',
    'regions must be a list of codes, or codes with commas between',
  ],
  [
    'has a list in meta',
    '{"image":"a.jpg","meta":[1]}',
    'meta must be a JSON object that a database can keep',
  ],
  [
    'has what no database keeps in meta',
    '{"image":"a.jpg","meta":{"a":"\\u0000"}}',
    'meta must be a JSON object that a database can keep',
  ],
])('a line of JSON that %s is a bad line, and only that', async (_what, line, why) => {
  const path = await write('bad.jsonl', `${line}\n{"image":"good.jpg"}\n`)
  const { count, refs } = await read(path)

  expect(problems(refs)).toEqual([`${path}: ${why}.`, undefined])
  expect(refs[0]).toMatchObject({ line: 1, written: line, text: '', problem: { code: 'bad_line' } })
  expect(count).toBe(2)
})

test.each<[what: string, text: string]>([
  ['commas', 'image,camera_id,meta\n"a, b.jpg",gate,"{""lane"":1}"\nc.jpg,,\n'],
  [
    'semicolons, as Excel writes it',
    '\uFEFFImage;Camera_ID;Meta\r\n"a, b.jpg";gate;"{""lane"":1}"\r\nc.jpg\r\n',
  ],
  ['tabs', '# of the gate\nimage\tcamera_id\tmeta\na, b.jpg\tgate\t"{""lane"":1}"\n\nc.jpg\t\t\n'],
])('CSV may have %s', async (_what, text) => {
  const { kind, count, refs } = await read(await write('a.csv', text))

  expect({ kind, count }).toEqual({ kind: 'csv', count: 2 })
  expect(refs.map(({ text, told }) => ({ text, ...told }))).toEqual([
    { text: 'a, b.jpg', cameraId: 'gate', meta: { lane: 1 } },
    { text: 'c.jpg' },
  ])
})

test('a record of CSV may have line breaks, and is kept as it was written', async () => {
  const record = '"a\nb.jpg","{""lane"":1}"'
  const path = await write('breaks.csv', `image,meta\n${record}\nc.jpg,\n`)
  const { refs, header } = await read(path)

  expect(refs.map(({ line, written }) => [line, written])).toEqual([
    [3, record],
    [4, 'c.jpg,'],
  ])
  expect(header).toBe('image,meta')
})

test('a record of CSV that means nothing is a bad line, and only that', async () => {
  const records = ['a.jpg,gate,more', ',gate', 'b "1".jpg,"x" y', '"c.jpg"x,gate', 'd.jpg,gate']
  const path = await write('bad.csv', `image,camera_id\n${records.join('\n')}\n`)
  const { refs } = await read(path)

  expect(problems(refs)).toEqual([
    `${path}: more cells than the first line has columns (2).`,
    `${path}: image is empty: a path or a URL.`,
    ...[undefined, undefined, undefined],
  ])
  expect(refs.map(({ written }) => written)).toEqual(records)
  expect(refs.slice(2).map(({ text }) => text)).toEqual(['b "1".jpg', '"c.jpg"x', 'd.jpg'])
})

test('a quote that is never closed is a problem with --images: it would swallow images', async () => {
  const path = await write('open.csv', 'image,camera_id\na.jpg,gate\nb.jpg,"gate\nc.jpg,gate\n')
  const message = `${path} has a cell at or before line 4 whose quote is never closed.`

  await expect(open(path)).rejects.toMatchObject({ problems: [{ name: '--images', message }] })
})

test.each<[what: string, text: string, why: string]>([
  ['is empty', '\n\n', 'is empty'],
  ['names no image', 'path,camera_id\na.jpg,gate\n', 'has no column named image in its first line'],
  ['has a column that means nothing', 'image,camera\na.jpg,gate\n', 'has a column "camera"'],
  ['has a column twice', 'image,image\na.jpg,b.jpg\n', 'has a column twice'],
])('CSV that %s is a problem with --images', async (_what, text, why) => {
  const path = await write('wrong.csv', text)
  const message = `${path} ${why}; columns may be image, camera_id, captured_at, regions, meta.`

  await expect(open(path)).rejects.toMatchObject({ problems: [{ name: '--images', message }] })
})

const TREE = [
  'b.jpg',
  'a/2.JPG',
  'a/1.png',
  'a/z/3.heic',
  'a.jpg',
  'a/notes.txt',
  '.x/h.jpg',
  'a/.h.jpg',
]

async function makeTree(name: string): Promise<string> {
  const root = join(folder, name)
  for (const file of TREE) await write(`${name}/${file}`, '')
  return root
}

test('a folder is read in the order of its names, whatever lies deep, and only images', async () => {
  const root = await makeTree('tree')
  const { kind, count, refs } = await read(`${root}/`)

  expect({ kind, count }).toEqual({ kind: 'tree', count: 5 })
  expect(refs.map(({ line, text, base }) => [line, text, base])).toEqual(
    ['a/1.png', 'a/2.JPG', 'a/z/3.heic', 'a.jpg', 'b.jpg'].map((name, n) => [
      n + 1,
      `${root}/${name}`,
      root,
    ]),
  )
})

test('links to files are followed, links to folders are not', async () => {
  const root = await makeTree('linked')
  await symlink('..', join(root, 'a', 'circle'))
  await symlink('../b.jpg', join(root, 'a', 'b.jpg'))
  await symlink('nowhere.jpg', join(root, 'dangling.jpg'))
  const { refs } = await read(root)

  expect(refs.map(({ text }) => text.slice(root.length + 1))).toEqual([
    ...['a/1.png', 'a/2.JPG', 'a/b.jpg', 'a/z/3.heic'],
    // Its own line says that there is nothing behind it.
    ...['a.jpg', 'b.jpg', 'dangling.jpg'],
  ])
})

test.each<[pattern: string, found: string[]]>([
  ['**/*.{jpg,JPG}', ['a/2.JPG', 'a.jpg', 'b.jpg']],
  ['*/*', ['a/1.png', 'a/2.JPG', 'a/notes.txt']],
  ['a/[12].*', ['a/1.png', 'a/2.JPG']],
  ['nothing/*.jpg', []],
])('the pattern %s takes what it matches', async (pattern, found) => {
  const root = await makeTree('globbed')
  await mkdir(join(root, 'nothing'), { recursive: true })
  const { refs, count } = await read(`${root}/${pattern}`)

  expect(refs.map(({ text }) => text.slice(root.length + 1))).toEqual(found)
  expect(count).toBe(found.length)
})

test('a file that is called like a pattern is that file', async () => {
  const { kind, refs } = await read(await write('[1]*.txt', 'a.jpg\n'))

  expect(kind).toBe('text')
  expect(refs).toHaveLength(1)
})

test('a pattern in a folder that is not there is a problem with --images', async () => {
  const path = join(folder, 'gone', '*.jpg')

  await expect(open(path)).rejects.toMatchObject({
    problems: [{ name: '--images', message: `${path} does not exist.` }],
  })
})

test('files that have just changed are left for the next run, and counted', async () => {
  const root = await makeTree('settling')
  const long = new Date(Date.now() - 60_000)
  const ahead = new Date(Date.now() + 3_600_000)
  await utimes(join(root, 'a.jpg'), long, long)
  // By a clock that is ahead: it would never be old enough.
  await utimes(join(root, 'b.jpg'), ahead, ahead)
  const { refs, count, recent } = await read(root, { settle: 30 })

  expect(refs.map(({ text }) => text)).toEqual([`${root}/a.jpg`, `${root}/b.jpg`])
  expect([count, recent?.()]).toEqual([5, 3])
})

test('the folder that images are moved to is not walked', async () => {
  const root = await makeTree('archived')
  const { refs, count } = await read(root, { exclude: join(root, 'a') })

  expect(refs.map(({ text }) => text)).toEqual([`${root}/a.jpg`, `${root}/b.jpg`])
  expect(count).toBe(2)
})

test('a folder that cannot be read fails alone', async () => {
  const root = await makeTree('closed')
  await chmod(folder, 0o755)
  await chmod(join(root, 'a', 'z'), 0)
  const { refs } = await asOrdinaryUser(() => read(root))
  await chmod(join(root, 'a', 'z'), 0o700)

  expect(refs).toHaveLength(5)
  expect(refs[2]).toMatchObject({
    text: `${root}/a/z/`,
    problem: { code: 'folder_unreadable' },
  })
})

test('names that failed in a folder are a list again, whatever is in them', async () => {
  const names = ['a.jpg', 'with\nbreak.jpg', 'blank.jpg ']
  const failedAs = async (ending: string) => {
    const path = join(folder, `failed.${ending}`)
    const failed = await openFailedList(path, { kind: 'tree', path: folder })
    for (const text of names) failed.add({ line: 1, text, source: text })
    await failed.close(true)
    return (await read(path)).refs.map(({ text }) => text)
  }

  expect(await failedAs('jsonl')).toEqual(names)
  await expect(failedAs('txt')).rejects.toThrow(
    'a name with a line break, or with blanks at its end, needs a --failed that ends in .jsonl',
  )
  await expect(failedAs('csv')).rejects.toMatchObject({
    problems: [
      {
        name: '--failed',
        message: `${join(folder, 'failed.csv')} would be read as another kind of list than the one it is of: name it failed.txt.`,
      },
    ],
  })
})

test('a list in memory may say what is known of an image', async () => {
  const given = ['a.jpg', { image: 'b.jpg', cameraId: 'gate', meta: { lane: 1 } }]

  expect(await Array.fromAsync(imageRefs(given))).toEqual([
    { line: 1, text: 'a.jpg', source: 'a.jpg' },
    { line: 2, text: 'b.jpg', source: 'b.jpg', told: { cameraId: 'gate', meta: { lane: 1 } } },
  ])
})

const WANTED: Wanted = {
  question: { regions: ['de'], cameraId: 'any', mmc: false },
  threshold: 0,
  meta: { site: 'north', lane: 0 },
}
const cameraOf = (text: string, expression: RegExp, told = {}) =>
  wantedOfLine({ line: 1, text, source: text, told }, WANTED, expression).question.cameraId

test.each<[text: string, expression: RegExp, camera: string]>([
  ['/ftp/gate-3/2026/a.jpg', /ftp\/([^/]+)/u, 'gate-3'],
  ['/ftp/gate-3/2026/a.jpg', /(ftp)\/(?<camera>[^/]+)/u, 'gate-3'],
  ['/ftp/gate-3/2026/a.jpg', /gate-\d/u, 'gate-3'],
  ['/ftp/2026/a.jpg', /gate-\d/u, 'any'],
  ['https://cams.example/gate%203/a.jpg?cam=4', /\/([^/]+)\/a.jpg/u, 'gate 3'],
])('of %s, %s takes the camera %s', (text, expression, camera) => {
  expect(cameraOf(text, expression)).toBe(camera)
})

test('what a line says counts more than its path, and that more than the flags', () => {
  const told = { cameraId: 'mine', regions: [], meta: { lane: 2 } }
  const ref = { line: 1, text: 'gate-3/a.jpg', source: 'a.jpg', told }

  expect(wantedOfLine(ref, WANTED, /gate-\d/u)).toEqual({
    question: { regions: [], cameraId: 'mine', mmc: false },
    threshold: 0,
    meta: { site: 'north', lane: 2 },
  })
})
