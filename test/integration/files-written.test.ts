import { execFile } from 'node:child_process'
import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openEmbeddedDatabase } from '../../src/db/embedded.ts'
import { ConfigError, SpoolError } from '../../src/errors.ts'
import { openFailedList } from '../../src/failed-list.ts'
import { checkSpool, createSpool, readSpool, type SpooledAnswer } from '../../src/spool.ts'
import { writeWhole } from '../../src/write-file.ts'
import { copyEmbeddedTemplate } from '../support/embedded-template.ts'
import { asOrdinaryUser } from '../support/ordinary-user.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-files-'))
})
afterEach(() => rm(folder, { recursive: true }))

const OLD = 'somebody’s own'

/** Writes by each way that there is to write a named file. */
const WAYS: [way: string, write: (path: string) => Promise<void>][] = [
  ['report and image', (path) => writeWhole(path, '-o', (file) => file.writeFile('new\n'))],
  [
    '--failed',
    async (path) => {
      const list = await openFailedList(path, { kind: 'text', path: 'images.txt' })
      list.add({ line: 1, text: 'new', source: 'new' })
      await list.close(true)
    },
  ],
]

async function modeOf(path: string): Promise<string> {
  return ((await lstat(path)).mode & 0o7777).toString(8)
}

describe.each(WAYS)('a file written by %s', (_way, write) => {
  test.each([0o000, 0o022, 0o077])('is for its owner alone under the umask %i', async (umask) => {
    const before = process.umask(umask)
    try {
      await writeFile(join(folder, 'wide'), OLD)
      await chmod(join(folder, 'wide'), 0o666)
      for (const name of ['new', 'wide']) {
        await write(join(folder, name))
        expect(await modeOf(join(folder, name))).toBe('600')
        expect(await readFile(join(folder, name), 'utf8')).toBe('new\n')
      }
      expect(await readdir(folder)).toEqual(['new', 'wide'])
    } finally {
      process.umask(before)
    }
  })

  test('takes the place of a link, and leaves alone what the link leads to', async () => {
    await writeFile(join(folder, 'precious'), OLD)
    for (const name of ['out', 'out.part']) await symlink('precious', join(folder, name))
    await symlink('nowhere', join(folder, 'dangling'))
    for (const name of ['out', 'dangling']) {
      await write(join(folder, name))
      expect((await lstat(join(folder, name))).isFile()).toBe(true)
    }
    expect(await readFile(join(folder, 'precious'), 'utf8')).toBe(OLD)
    expect((await readdir(folder)).sort()).toEqual(['dangling', 'out', 'out.part', 'precious'])
  })

  test('takes the place of no folder, and of nothing that is no file, however much it may', async () => {
    // A pipe of the test's own stands for all of them: were this to fail as root, /dev/null would be gone for everybody.
    const pipe = join(folder, 'pipe')
    await promisify(execFile)('mkfifo', [pipe])
    await symlink('pipe', join(folder, 'link'))
    for (const path of [pipe, join(folder, 'link'), folder]) {
      await expect(write(path)).rejects.toThrow(ConfigError)
    }
    expect((await lstat(pipe)).isFIFO()).toBe(true)
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true)
    expect((await readdir(folder)).sort()).toEqual(['link', 'pipe'])
  })

  test('ends the parts that killed runs left a month ago, and no others', async () => {
    const part = (digit: string) => `out.${digit.repeat(8)}-1111-4111-8111-111111111111.part`
    for (const name of [part('a'), part('b'), 'out.mine.part']) {
      await writeFile(join(folder, name), OLD)
    }
    const longAgo = new Date(Date.now() - 31 * 86_400_000)
    for (const name of [part('a'), 'out.mine.part']) {
      await utimes(join(folder, name), longAgo, longAgo)
    }
    await write(join(folder, 'out'))
    expect((await readdir(folder)).sort()).toEqual(['out', part('b'), 'out.mine.part'])
  })
})

test('what could not take its place stays, and the message says where', async () => {
  const list = await openFailedList(join(folder, 'out'), { kind: 'text', path: 'images.txt' })
  list.add({ line: 1, text: 'a line', source: 'a line' })
  await mkdir(join(folder, 'out'))
  const error: unknown = await list.close(true).catch((thrown: unknown) => thrown)
  const [, part = ''] = /what could be written is in (.*)$/.exec(String(error)) ?? []
  expect(await readFile(part, 'utf8')).toBe('a line\n')
})

const RUN = '11111111-1111-4111-8111-111111111111'
const ANSWER: SpooledAnswer = {
  ...{ run: RUN, sha256: 'a'.repeat(64), threshold: 0, raw: { results: [] } },
  ...{ question: { regions: [], mmc: false }, attempts: 1, uncertain: 0 },
  answeredAt: '2026-01-02T03:04:05.000Z',
}

test('the file of unwritten answers is no link that somebody put there, neither written nor read', async () => {
  await writeFile(join(folder, 'precious'), OLD)
  await symlink('precious', join(folder, `answers-db-${RUN}.jsonl`))
  await expect(createSpool(folder, 'db', RUN).keep(ANSWER)).rejects.toThrow(SpoolError)
  await expect(readSpool(folder, 'db')).rejects.toThrow(SpoolError)
  expect(await readFile(join(folder, 'precious'), 'utf8')).toBe(OLD)
})

test('the folder of unwritten answers and their file are for their owner alone under any umask', async () => {
  const before = process.umask(0)
  try {
    const spool = createSpool(join(folder, 'state', 'plate-snapshot'), 'db', RUN)
    await spool.keep(ANSWER)
    expect(await modeOf(join(folder, 'state', 'plate-snapshot'))).toBe('700')
    expect(await modeOf(spool.file)).toBe('600')
  } finally {
    process.umask(before)
  }
})

/** Opens what keeps its files in a folder. */
const KEEPERS: [what: string, open: (path: string) => Promise<void>, refused: RegExp][] = [
  ['answers that wait', checkSpool, /SpoolError: .*another user made .*where everybody may write/],
  [
    'the embedded database',
    async (path) => (await openEmbeddedDatabase(path)).close(),
    /DatabaseError: .*another user made .*where everybody may write/,
  ],
]

describe.each(KEEPERS)('a folder for %s', (_what, open, refused) => {
  test.runIf(process.geteuid?.() === 0)(
    'is refused where all may write when another user made it, a folder above it, or a link there',
    async () => {
      const stranger = 12_345
      const shared = join(folder, 'shared')
      await mkdir(join(shared, 'theirs', 'deeper'), { recursive: true })
      await mkdir(join(folder, 'mine'))
      await symlink('../mine', join(shared, 'link'))
      for (const name of ['theirs', 'link']) {
        await lchown(join(shared, name), stranger, stranger)
      }
      await chown(join(folder, 'mine'), 65_534, 65_534)
      for (const name of ['theirs', 'theirs/deeper']) await chmod(join(shared, name), 0o777)
      await chmod(shared, 0o1777)
      await chmod(folder, 0o755)
      await asOrdinaryUser(async () => {
        for (const name of ['theirs', 'theirs/new', 'theirs/deeper', 'link']) {
          const error: unknown = await open(join(shared, name)).catch((thrown: unknown) => thrown)
          expect(String(error), name).toMatch(refused)
        }
      })
      expect(await readdir(join(shared, 'theirs'))).toEqual(['deeper'])
      expect(await readdir(join(folder, 'mine'))).toEqual([])
    },
  )

  test('may be an older one that others can read, behind a link of the operator’s own', async () => {
    await copyEmbeddedTemplate(join(folder, 'disk'))
    await chmod(join(folder, 'disk'), 0o755)
    await symlink('disk', join(folder, 'data'))
    await chmod(folder, 0o777)
    await open(join(folder, 'data'))
    expect(await modeOf(join(folder, 'disk'))).toBe('755')
    expect(await readdir(join(folder, 'disk'))).toEqual(['pgdata'])
  })
})

test.runIf(process.geteuid?.() === 0)(
  'a database folder open to all is refused when its data are another user’s',
  async () => {
    await mkdir(join(folder, 'pgdata'))
    await chown(join(folder, 'pgdata'), 12_345, 12_345)
    await chmod(folder, 0o777)
    const error: unknown = await openEmbeddedDatabase(folder).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'DatabaseError', code: 'folder_unusable' })
    expect(await readdir(folder)).toEqual(['pgdata'])
  },
)
