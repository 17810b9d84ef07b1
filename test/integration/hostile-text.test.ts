import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHttpServer } from '../support/http-server.ts'
import { runInProcess, type Said } from '../support/in-process.ts'
import { createQueuedWorkplace } from '../support/queues.ts'
import type { Workplace } from '../support/workplace.ts'

/** Clears the screen, goes back, rings, deletes, colors (CSI as one character), turns the text round, breaks the line. */
const CONTROLS = '\x1b[2J\r\x07\b\x7f\u009b31m\u202e\u2066\u200f\u2028'
/** The same, and then a line that could pass for one of ours. */
const FORGED = `x${CONTROLS}\nFORGED`
/** What of it can stand in a line of a list. */
const NAME = CONTROLS.replace(/[\r\u2028]/g, '')
/** How people see them. */
const SHOWN = String.raw`\x1b[2J\x0d\x07\x08\u007f\u009b31m\u202e\u2066\u200f\u2028`
const SHOWN_NAME = SHOWN.replace(/\\x0d|\\u2028/g, '')

/** All of C0 but the line break, DEL, C1, bidirectional controls, and Unicode's line breaks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for
const RAW = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/

let place: Workplace
beforeAll(async () => {
  place = await createQueuedWorkplace()
})
afterAll(() => place[Symbol.asyncDispose]())

function run(args: string[], env = {}, input = '', outColumns?: number): Promise<Said> {
  return runInProcess(args, { ...place.env, ...env }, { input, outColumns })
}

function expectHarmless({ text }: Said, what: string): void {
  expect(RAW.exec(text)?.[0]?.codePointAt(0)?.toString(16), `${what}: ${text}`).toBeUndefined()
  expect(text, what).not.toMatch(/^FORGED/m)
}

test('no control character of a name, an answer, a row or a server reaches the terminal, in any command', async () => {
  const [car, refused] = await place.draw(`car${NAME}.jpg`, `refused${NAME}.jpg`)
  const lines = [car, refused, `missing${NAME}.jpg`].map((name) => join(place.folder, name ?? ''))
  lines.push(`http://127.0.0.1:1/${NAME}.jpg`, `ftp://${NAME}`, `http://[${NAME}`)
  const result = { plate: FORGED, score: 0.9, region: { code: FORGED, score: 1 } }
  const vehicle = { vehicle: { type: FORGED, score: 1 } }
  place.sandbox.configure({
    fault: ({ index }) =>
      index === 0
        ? { answer: { results: [{ ...result, ...vehicle, box: BOX }], filename: FORGED } }
        : { status: 400, body: JSON.stringify({ detail: `no${CONTROLS}` }) },
  })
  const ingest = ['--images', '-', '--delay', '0', '--retries', '0', '--concurrency', '1']
  const seen = await run([...ingest, '--camera-id', FORGED], {}, lines.join('\n'))
  expectHarmless(seen, 'ingest')
  expect(seen.exitCode).toBe(1)
  expect(seen.text).toContain(`missing${SHOWN_NAME}.jpg does not exist`)
  expect(seen.text.match(/\[\w+\]$/gm)).toHaveLength(5)

  // Without the address that is tried several times.
  const list = lines.filter((_, n) => n === 2 || n > 3).join('\n')
  for (const flags of [['--json'], ['--quiet'], ['--dry-run']]) {
    expectHarmless(await run([...ingest, ...flags], {}, list), `ingest ${flags}`)
  }
  await run(['enqueue', '--images', '-', '--camera-id', FORGED], {}, lines.slice(-2).join('\n'))
  expectHarmless(await run(['work', '--until-empty', '--delay', '0']), 'work')
  await place.query(
    "UPDATE ingest_runs SET machine = $1 || machine, summary = jsonb_set(summary, '{stopped}', to_jsonb($1::text))",
    [FORGED],
  )
  await place.query('UPDATE image_failures SET code = $1', [FORGED])

  const [row] = await place.query<{ id: string }>('SELECT id FROM vehicle_snapshots')
  const output = join(place.folder, `out${CONTROLS}`)
  const commands: [args: string[], env?: Record<string, string>][] = [
    [['status']],
    [['status'], { DATABASE_URL: withDatabase(FORGED) }],
    [['plates']],
    [['plates', '--json']],
    [['query', `SELECT plate_text AS "a${CONTROLS}" FROM vehicle_snapshots`]],
    [['query', `SELECT 'a${FORGED}'::int`]],
    [['query', `SELECT '{"a":\t\r1}'::json`, '--json']],
    [['queue', 'status']],
    [['queue', 'failed']],
    [['queue', CONTROLS]],
    [['verify']],
    [['check'], { SNAPSHOT_API_URL: `http://127.0.0.1:1/${CONTROLS}` }],
    [['image', row?.id ?? '', '-o', output]],
    [['image', row?.id ?? '', '--crop', 'plate', '-o', output]],
    [['image', CONTROLS, '-o', output]],
    [['url', row?.id ?? '']],
    [['report', '--output', output]],
    [['report', '--output', `/nowhere/${CONTROLS}`]],
    [['purge', '--plate', FORGED]],
    [[`x${CONTROLS}`]],
    [['status', `--x${CONTROLS}`]],
    [['ingest', '--images', `none${CONTROLS}`], { S3_URL_STYLE: CONTROLS }],
  ]
  for (const [args, env] of commands) expectHarmless(await run(args, env), String(args))
  expect((await run(['plates'])).text).toContain(`x${SHOWN}\\x0aFORGED`)
})

const BOX = { xmin: 0, ymin: 0, xmax: 10, ymax: 10 }

function withDatabase(name: string): string {
  const url = new URL(place.env['DATABASE_URL'] ?? '')
  url.pathname = encodeURIComponent(name)
  return url.href
}

test('programs get the characters as they are: JSON means them, and CSV holds them but on a terminal', async () => {
  const sql = 'SELECT plate_text AS plate FROM vehicle_snapshots'
  const { text } = await run(['query', sql, '--json'])
  expect(JSON.parse(text)).toEqual({ plate: FORGED })
  expect((await run(['query', sql, '--csv'])).bytes).toBe(`plate\n"${FORGED}"\n`)
  const shown = await run(['query', sql, '--csv'], {}, '', 80)
  expect(shown).toMatchObject({ text: `plate\n"x${SHOWN}\nFORGED"`, bytes: '' })
})

test('what an S3 server says does not reach the terminal raw either', async () => {
  await using server = await startHttpServer((_, response) => {
    const message = `<Error><Code>Bad${CONTROLS}</Code><Message>${FORGED}</Message></Error>`
    response.writeHead(400, { 'content-type': 'application/xml' }).end(message)
  })
  const said = await run(['check'], {
    ...{ STORE_IMAGES: 's3', S3_BUCKET: 'plates', AWS_ENDPOINT_URL: server.url },
    ...{ AWS_ACCESS_KEY_ID: 'some', AWS_SECRET_ACCESS_KEY: 'some' },
  })
  expect(server.requests.length).toBeGreaterThan(0)
  expect(said.text).toMatch(/FAILED {2}storage/)
  expectHarmless(said, 'check')
})
