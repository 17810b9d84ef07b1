import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { CLI, closedEnv } from '../support/cli.ts'
import { createWorkplace, names, type Workplace } from '../support/workplace.ts'

const run = promisify(execFile)
const SCRIPT = '/usr/bin/script'
const ESCAPE = '\u001b'

/** A shell command in the workplace, in which `$cli` runs the command line. */
function shellIn({ folder, env }: Workplace, command: string) {
  const all = closedEnv(folder, { ...env, cli: `${process.execPath} ${CLI}` })
  return run('bash', ['-c', command], { cwd: folder, env: all })
}

describe('without --json', () => {
  test('the summary is for people, with the lines of zero left out', async () => {
    await using place = await createWorkplace()
    await place.write(
      'list.txt',
      'samples/gate-sedan-front.jpg\nsamples/empty-car-park.jpg\nno.jpg',
    )
    const { stdout, stderr } = await place.run(['--images', 'list.txt', '--delay', '0'])
    expect(stdout).toMatch(
      /^3 images in [\d.]+ s\n {2}1 stored\n {2}1 without a plate\n {2}1 failed\n1 row and 2 images written\n2 lookups\n$/,
    )
    expect(stderr).toMatch(
      /^Database: PostgreSQL "test_\w+" on [\w.:]+\. Images: the database \(image_data\)\. Lookups left: 2500 of 2500\.\n/,
    )
    expect(stderr).toContain('line 3: no.jpg does not exist. [file_not_found]\n')
  })

  test('--quiet says nothing but where things go, the summary and what failed', async () => {
    await using place = await createWorkplace()
    await place.write('list.txt', 'samples/gate-sedan-front.jpg\nno.jpg\n')
    const { stdout, stderr } = await place.run(['--images', 'list.txt', '--quiet'])
    expect(stdout).toMatch(/^2 images in /)
    expect(stderr).toMatch(
      /^Database: .* Images: .*\nline 2: no\.jpg does not exist\. \[file_not_found\]\n {2}.*\n$/,
    )
  })

  test('--quiet lists twenty failures and counts the rest', async () => {
    await using place = await createWorkplace()
    await place.write('list.txt', names(23, 'missing').join('\n'))
    const { exitCode, stderr } = await place.run(['--images', 'list.txt', '--quiet'])
    expect(exitCode).toBe(1)
    expect(stderr.match(/^line /gm)).toHaveLength(20)
    expect(stderr).toContain('… and 3 more; --failed <file> writes them all.')
  })
})

describe('into a pipe or a file', () => {
  test('there are no escape codes, whatever the terminal is said to be', async () => {
    await using place = await createWorkplace()
    const env = { TERM: 'xterm-256color', COLORTERM: 'truecolor', FORCE_COLOR: '1' }
    const lines = ['samples/gate-sedan-front.jpg', 'no.jpg']
    const { stdout, stderr } = await place.ingest(lines, [], { env })
    expect(stdout + stderr).not.toContain(ESCAPE)
    expect(stdout + stderr).not.toContain('\r')
  })

  test('a reader that has seen enough ends the run quietly', async () => {
    await using place = await createWorkplace({ sandbox: { latencyMs: 20 } })
    await place.write('list.txt', (await place.draw(...names(30))).join('\n'))
    const { stdout, stderr } = await shellIn(
      place,
      '$cli --images list.txt --delay 0 --concurrency 2 --json | head -1',
    )
    expect(stdout.split('\n')).toHaveLength(2)
    expect(JSON.parse(stdout)).toMatchObject({ event: 'image' })
    expect(stderr).not.toMatch(/EPIPE|Error|interrupted| at /)
    expect(place.sandbox.lookups.length).toBeLessThan(30)
    // What was asked is written.
    const [{ n } = { n: 0 }] = await place.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM plate_lookups WHERE response IS NOT NULL',
    )
    expect(n).toBe(place.sandbox.billedCount())
  })
})

describe('on a terminal', () => {
  test('a progress bar shows on standard error, and standard output stays clean JSON', async ({
    skip,
  }) => {
    if (!existsSync(SCRIPT)) skip('util-linux script is not installed: no pseudo-terminal')
    await using place = await createWorkplace({ sandbox: { latencyMs: 150 } })
    const lines = [...(await place.draw(...names(12))), 'no.jpg']
    await place.write('list.txt', lines.join('\n'))
    const command = '$cli --images list.txt --delay 0 --concurrency 2 --json >out.jsonl'
    const screen = await onTerminal(place, `stty cols 100; ${command}`)
    expect(screen).toContain(ESCAPE)
    expect(screen).toMatch(/[█░]+ \d+\/13 \d+% .*\d\/s, \d+ s left/)
    expect(screen).toContain('Database: PostgreSQL')
    expect(screen).toContain('line 13: no.jpg does not exist.')
    // The cursor comes back.
    expect(screen.lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(
      screen.lastIndexOf(`${ESCAPE}[?25l`),
    )
    const out = await readFile(join(place.folder, 'out.jsonl'), 'utf8')
    const records = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(records).toHaveLength(14)
    expect(records.at(-1)).toMatchObject({ event: 'summary', images: 13, stopped: null })
  })

  test('with both on it the summary stands whole at the end', async ({ skip }) => {
    if (!existsSync(SCRIPT)) skip('util-linux script is not installed: no pseudo-terminal')
    await using place = await createWorkplace({ sandbox: { latencyMs: 50 } })
    await place.write('list.txt', (await place.draw(...names(4))).join('\n'))
    const screen = await onTerminal(place, 'stty cols 100; $cli --images list.txt --delay 0')
    const end = screen.slice(screen.lastIndexOf('4 images in')).replaceAll('\r', '')
    expect(end).toMatch(
      /^4 images in [\d.]+ s\n {2}4 without a plate\n4 images written\n4 lookups\n/,
    )
  })

  test.for<[why: string, flag: string, columns: number]>([
    ['--quiet is given', '--quiet', 100],
    ['it is too narrow', '', 40],
  ])('there is no bar when %s', async ([, flag, columns], { skip }) => {
    if (!existsSync(SCRIPT)) skip('util-linux script is not installed: no pseudo-terminal')
    await using place = await createWorkplace()
    await place.write('list.txt', (await place.draw(...names(2))).join('\n'))
    const command = `stty cols ${columns}; $cli --images list.txt --delay 0 ${flag}`
    expect(await onTerminal(place, command)).not.toContain(ESCAPE)
  })
})

/** What a terminal shows of a command, escape codes included. */
async function onTerminal({ folder, env }: Workplace, command: string): Promise<string> {
  const all = {
    TERM: 'xterm-256color',
    SHELL: '/bin/bash',
    cli: `${process.execPath} ${CLI}`,
    ...env,
  }
  const child = spawn(SCRIPT, ['-qec', command, '/dev/null'], {
    cwd: folder,
    env: closedEnv(folder, all),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
  })
  await once(child, 'close')
  return screen
}
