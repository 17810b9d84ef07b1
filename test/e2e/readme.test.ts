import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { CLI, closedEnv, runCli } from '../support/cli.ts'
import { readmeBlocks, readmeExamples, readmeLines, readmeSession } from '../support/readme.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const EXAMPLE = ['--images', 'images.txt.example', '--mmc', '--delay', '0']

/** What differs from run to run and from folder to folder, made the same. */
function withoutCircumstances(output: string): string {
  return output
    .replace(/\d+\.\d s$/m, 'N s')
    .replace(/\S*samples\//g, 'samples/')
    .replace(/─+/g, '─')
    .replace(/ +$/gm, '')
}

/** Runs a snippet of the README as a file of its own, where the packages it imports are installed. */
async function runSnippet(snippet: string, env: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-readme-'))
  try {
    await mkdir(join(folder, 'node_modules'))
    for (const name of ['pg', '@aws-sdk']) {
      await symlink(join(REPOSITORY, 'node_modules', name), join(folder, 'node_modules', name))
    }
    await symlink(REPOSITORY, join(folder, 'node_modules', 'plate-snapshot'))
    await symlink(join(REPOSITORY, 'samples'), join(folder, 'samples'))
    await writeFile(join(folder, 'snippet.ts'), snippet)
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const child = spawn(process.execPath, ['snippet.ts'], {
      cwd: folder,
      env: closedEnv(folder, env),
    })
    const [output, errors] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    expect(child.exitCode, errors).toBe(0)
    return output
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('the demo prints what the README shows', async () => {
  const { stdout, exitCode } = await runCli(['demo'])
  expect(exitCode).toBe(0)
  const shown = linesOf(readmeBlocks('text')[0] ?? '')
  expect(linesOf(stdout)).toEqual(expect.arrayContaining(shown))
})

/** Of two files with the same picture either may be the first: then its row has the other name, and another place. */
function linesOf(output: string): string[] {
  const same = withoutCircumstances(output).replaceAll('copy-of-', '').replace(/ {2,}/g, '  ')
  return same.trimEnd().split('\n')
}

/** What each query of the README says about the sample pictures: a value that stands in its rows. */
const QUERIES: [about: string, value: string][] = [
  ['Toyota', 'ae010i'],
  ['plate_confidence > 0.9', 'io108uo'],
  ['candidates', 'gate-sedan-front.jpg'],
  ['image_sources', 'samples/copy-of-gate-sedan-front.jpg'],
  ['answered_at', '11'],
]

describe.each(['server', 'embedded'] as const)(
  'the README’s queries on the %s database',
  (database) => {
    let place: Workplace
    beforeAll(async () => {
      place = await createWorkplace({ database })
      await place.write('images.txt.example', await readExample())
      expect((await place.run(EXAMPLE)).exitCode).toBe(0)
    })
    afterAll(() => place[Symbol.asyncDispose]())

    test.each(QUERIES)('the one about %s finds %s', async (about, value) => {
      const query = readmeBlocks('sql').find((sql) => sql.includes(about)) ?? ''
      const rows = await place.query(query)
      expect(JSON.stringify(rows)).toContain(value)
    })

    test('the one about failed images finds none where none failed', async () => {
      const query = readmeBlocks('sql').find((sql) => sql.includes('image_failures')) ?? ''
      expect(await place.query(query)).toEqual([])
    })
  },
)

test('the snippet for S3 signs links that open', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  await place.write('images.txt.example', await readExample())
  await place.run(EXAMPLE)
  const snippet = readmeBlocks('ts').find((ts) => ts.includes('getSignedUrl')) ?? ''
  const [plate, link = ''] = (await runSnippet(snippet, place.env)).trim().split(' ')
  expect(plate).toBe('iq70otx')
  const response = await fetch(link)
  expect(response.headers.get('content-type')).toBe('image/jpeg')
  expect((await response.arrayBuffer()).byteLength).toBe(108_060)
})

test('the snippet for images in the database writes them', async () => {
  await using place = await createWorkplace({ storage: 'db' })
  await place.write('images.txt.example', await readExample())
  await place.run(EXAMPLE)
  const snippet = readmeBlocks('ts').find((ts) => ts.includes('image_data')) ?? ''
  expect(await runSnippet(snippet, place.env)).toMatch(/^[0-9a-f-]{36}: 108060 bytes\n$/)
})

test('the snippet for the library looks up, and runs a list', async () => {
  await using place = await createWorkplace()
  const snippet = readmeBlocks('ts').find((ts) => ts.includes("from 'plate-snapshot'")) ?? ''
  const output = await runSnippet(snippet, place.env)
  expect(output).toContain('qxoi104 0.952')
  expect(output).toContain('stored: 1, lookups: 1')
})

function readExample(): Promise<string> {
  return readFile(join(REPOSITORY, 'images.txt.example'), 'utf8')
}

describe('the README’s examples of looking at what was seen', () => {
  let place: Workplace
  beforeAll(async () => {
    place = await createWorkplace({ storage: 's3' })
    await place.write('images.txt.example', await readExample())
    expect((await place.run([...EXAMPLE, '--camera-id', 'gate-1'])).exitCode).toBe(0)
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test.each(readmeExamples())('%s', async (line, shown) => {
    const script = line.replace('npx plate-snapshot', `'${process.execPath}' '${CLI}'`)
    const child = spawn('sh', ['-c', `${script} 2>&1`], {
      cwd: place.folder,
      env: closedEnv(place.folder, { ...place.env, TZ: 'Europe/Berlin' }),
    })
    const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
    expect(withoutIds(output)).toEqual(withoutIds(shown))
  })
})

/** Lines without what differs from run to run; those of one moment come in any order. */
function withoutIds(output: string): string[] {
  const same = withoutCircumstances(output)
    .replaceAll('copy-of-', '')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/g, 'TIME')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/http\S+\/(vehicle-snapshots\/[^?]+)\?X-Amz-\S+/g, 'LINK $1')
    .replace(/^Database: PostgreSQL .*/m, 'Database: D')
    .replace(/^Images: s3:.*/m, 'Images: I')
    .replace(/ {2,}/g, '  ')
  return same.trimEnd().split('\n').sort()
}

test('what the README does in two terminals with the queue goes as it says', async () => {
  await using place = await createWorkplace({ isMigrated: false })
  await place.write('images.txt.example', await readExample())
  await place.write('README.md', '# no image')
  const isIdle = async () => {
    const { records } = await place.run(['queue', 'status', '--json'])
    expect(records[0]).toMatchObject({ waiting: 0, at_work: 0 })
  }
  const argsOf = (line: string) => line.replace('npx plate-snapshot ', '').split(' ')
  const lines = readmeLines('More than one machine')
  expect(lines.map((line) => argsOf(line)[0])).toEqual(['migrate', 'enqueue', 'work', 'work'])
  const workers = []
  for (const line of lines) {
    if (line.includes(' work')) {
      const worker = await place.start(argsOf(line))
      await worker.untilSaid(/Images: /)
      workers.push(worker)
    } else expect((await place.run(argsOf(line))).exitCode, line).toBe(0)
  }
  workers[1]?.kill('SIGINT')
  expect((await workers[1]?.ended)?.exitCode).toBe(130)

  const shown = readmeSession('More than one machine')
  expect(shown).toHaveLength(5)
  for (const [line, output] of shown) {
    // What waits is done by the time that people have read so far.
    if (line.includes('status')) await vi.waitFor(isIdle, { timeout: 30_000 })
    const script = line.replace('npx plate-snapshot', `'${process.execPath}' '${CLI}'`)
    const child = spawn('sh', ['-c', `${script} 2>&1`], {
      cwd: place.folder,
      env: closedEnv(place.folder, { ...place.env, TZ: 'UTC' }),
    })
    const [said] = await Promise.all([text(child.stdout), once(child, 'close')])
    expect(withoutQueueFacts(said), line).toEqual(withoutQueueFacts(output))
  }
  workers[0]?.kill('SIGTERM')
  expect((await workers[0]?.ended)?.exitCode).toBe(143)
})

function withoutQueueFacts(output: string): string[] {
  return withoutIds(
    output
      .replace(/^[\d.]+ images a second/m, 'N images a second')
      .replace(/ on [\w.-]+$/gm, ' on HOST')
      .replace(/\S+\/README.md/g, 'README.md')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME'),
  )
}

test('npm run demo is the demo', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-npm-'))
  try {
    // The script of the checkout, in a folder of its own: the demo writes where it runs.
    await cp(join(REPOSITORY, 'package.json'), join(folder, 'package.json'))
    for (const name of ['dist', 'samples', 'node_modules', 'db_schema.sql', 'images.txt.example']) {
      await symlink(join(REPOSITORY, name), join(folder, name))
    }
    const child = spawn('npm', ['run', '--silent', 'demo'], {
      cwd: folder,
      env: closedEnv(folder, {}),
    })
    const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
    expect(child.exitCode).toBe(0)
    expect(output).toContain('These answers came from the sandbox')
  } finally {
    await rm(folder, { recursive: true })
  }
})
