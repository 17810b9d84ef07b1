import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADVICE, type ErrorCode } from '../../src/advice.ts'
import { BAD_FILES, MAX_IMAGE_BYTES } from '../support/bad-files.ts'
import { BAD_ADDRESSES, type BadServers, startBadServers } from '../support/bad-servers.ts'
import type { CliResult } from '../support/cli.ts'
import { disposables } from '../support/disposables.ts'
import type { Responder } from '../support/image-server.ts'
import { answersFor, pictureOf, sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

/** It stands in lines of the list, and may stand in no output. */
const PASSWORD = 'e2e0url0password'
const BASIC = `Basic ${Buffer.from(`gate:${PASSWORD}`).toString('base64')}`

type Line = string | Buffer | ((at: BadServers) => string)

const ODD_LINES: [what: string, code: ErrorCode, line: Line][] = [
  ['quotes around a path', 'file_not_found', '"car.jpg"'],
  ['a wildcard', 'file_not_found', '*.jpg'],
  ['a path in the home folder', 'file_not_found', '~/car.jpg'],
  ['a path of Windows', 'file_not_found', 'C:\\pictures\\car.jpg'],
  ['two paths in one line', 'file_not_found', 'car.jpg,car.jpg'],
  ['an address without its scheme', 'file_not_found', 'www.example.com/car.jpg'],
  ['a script', 'file_not_found', 'javascript:alert(1)'],
  ['a line of 1 MB', 'file_not_found', 'long'.repeat(250_000)],
  ['invalid UTF-8', 'file_not_found', Buffer.from('Gr\xf6\xdfe.jpg', 'latin1')],
  ['a NUL byte', 'file_not_found', 'car\0.jpg'],
  ['a wrong password', 'http_forbidden', ({ host }) => `http://gate:${PASSWORD}@${host}/401.jpg`],
  ['a password in a broken address', 'bad_url', () => `http://gate:${PASSWORD}@[/car.jpg`],
]

const BAD_LINES: [what: string, code: ErrorCode, line: Line][] = [
  ...BAD_FILES.map(([what, code, path]): [string, ErrorCode, Line] => [what, code, path]),
  ...BAD_ADDRESSES,
  ...ODD_LINES,
]

/** Lines that look as bad as those, and are not. */
const GOOD_LINES: [what: string, line: Line, picture: string][] = [
  ['letters and blanks', ({ host }) => `http://${host}/lane 1/Größe 車.jpg`, 'odd'],
  ['an answer only the third time', ({ host }) => `http://${host}/flaky.jpg`, 'flaky'],
  ['the right password', ({ host }) => `http://gate:${PASSWORD}@${host}/secret.jpg`, 'secret'],
  ['a good picture after all of them', 'car.jpg', 'car'],
]

let asked = 0
const flaky: Responder = (_, response) => {
  asked += 1
  if (asked <= 2) response.writeHead(500).end()
  else response.end(pictureOf('flaky'))
}
const secret: Responder = ({ headers }, response) => {
  if (headers.authorization !== BASIC) response.writeHead(401).end()
  else response.end(pictureOf('secret'))
}

const open = disposables()
let place: Workplace
let result: CliResult
let images: CliResult['images']

beforeAll(async () => {
  const seen = Object.fromEntries(
    GOOD_LINES.map(([, , picture]) => [picture, [[picture, 0.9]] as const]),
  )
  place = open.use(await createWorkplace({ sandbox: { answers: answersFor(seen) } }))
  const odd = { '/lane 1/Größe 車.jpg': pictureOf('odd') }
  const servers = open.use(
    await startBadServers({ ...odd, '/flaky.jpg': flaky, '/secret.jpg': secret }),
  )
  await place.write('car.jpg', pictureOf('car'))
  for (const [, , path, make] of BAD_FILES) await make?.(join(place.folder, path))
  const lines = [...BAD_LINES.map(([, , line]) => line), ...GOOD_LINES.map(([, line]) => line)]
  const bytes = lines.map((line) =>
    Buffer.concat([
      Buffer.from(typeof line === 'function' ? line(servers) : line),
      Buffer.from('\n'),
    ]),
  )
  await place.write('list.txt', Buffer.concat(bytes))
  const limits = ['--fetch-timeout', '1', '--max-image-bytes', String(MAX_IMAGE_BYTES)]
  const pace = ['--delay', '0', '--concurrency', '16']
  result = await place.run(['--images', 'list.txt', '--json', ...limits, ...pace])
  images = result.images
})
afterAll(() => open[Symbol.asyncDispose]())

const imageOf = (line: number) => images.find((image) => image.line === line)

test.each(BAD_LINES.map(([what, code], index) => [what, code, index + 1] as const))(
  '%s fails as %s, and is not looked up',
  (what, code, line) => {
    const isOwn = what.includes('signed its own certificate')
    const hint = isOwn ? expect.stringContaining('NODE_EXTRA_CA_CERTS') : ADVICE[code].hint
    expect(imageOf(line)).toMatchObject({
      outcome: 'failed',
      lookup: false,
      error: { code, hint },
    })
    expect(result.stderr).toMatch(new RegExp(`^line ${line}: .*\\[${code}\\]$`, 'm'))
  },
)

test.each(
  GOOD_LINES.map(
    ([what, , picture], index) => [what, picture, BAD_LINES.length + index + 1] as const,
  ),
)('%s: the picture is stored', (_what, picture, line) => {
  expect(imageOf(line)).toMatchObject({
    outcome: 'stored',
    lookup: true,
    sha256: sha256Of(pictureOf(picture)),
  })
})

test('no bad line is stored, looked up, or stops the run', async () => {
  const good = GOOD_LINES.map(([, , picture]) => sha256Of(pictureOf(picture))).sort()
  expect(BAD_LINES.length).toBeGreaterThan(40)
  expect(result.exitCode).toBe(1)
  expect(result.summary).toMatchObject({
    images: BAD_LINES.length + good.length,
    failed: BAD_LINES.length,
    stored: good.length,
    uploads: good.length,
    stopped: null,
  })
  expect(place.sandbox.lookups.map(({ sha256 }) => sha256).sort()).toEqual(good)
  const kept = await place.query<{ sha256: string }>(
    'SELECT image_sha256 AS sha256 FROM plate_lookups',
  )
  expect(kept.map(({ sha256 }) => sha256).sort()).toEqual(good)
})

test('no output shows a password of an address', () => {
  const said = result.stdout + result.stderr
  expect(said).toContain('/secret.jpg')
  expect(said).not.toContain(PASSWORD)
})

test('lines may end as on a Macintosh of old', async () => {
  await place.draw('one.jpg', 'two.jpg')
  await place.write('list.txt', 'one.jpg\rmissing.jpg\rtwo.jpg\r')
  const run = await place.run(['--images', 'list.txt', '--delay', '0', '--json'])
  expect(run.exitCode).toBe(1)
  const codes = run.images.map(({ line, source, error }) => [line, source, error?.code])
  expect(codes.sort()).toEqual([
    [1, 'one.jpg', undefined],
    [2, 'missing.jpg', 'file_not_found'],
    [3, 'two.jpg', undefined],
  ])
})
