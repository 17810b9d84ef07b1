import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Responder, startImageServer } from '../support/image-server.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

const PICTURE = pictureOf('a car', 2_000)
const status =
  (code: number): Responder =>
  (_, response) =>
    response.writeHead(code).end('no')
const redirect: Responder = (_, response) =>
  response.writeHead(302, { location: '/redirect.jpg' }).end()
const short: Responder = (_, response) => {
  response.writeHead(200, { 'content-length': PICTURE.length + 100 })
  response.write(PICTURE, () => response.destroy())
}

test('each line that is no image fails under its own code, and none is looked up', async () => {
  await using server = await startImageServer({
    '/page.jpg': Buffer.from('<!doctype html><title>Log in</title>'),
    '/secret.jpg': status(403),
    '/broken.jpg': status(500),
    '/redirect.jpg': redirect,
    '/short.jpg': short,
    '/empty.jpg': Buffer.alloc(0),
    '/large.jpg': pictureOf('large', 3_000),
    '/good.jpg': PICTURE,
  })
  await using place = await createWorkplace()
  await mkdir(join(place.folder, 'folder.jpg'))
  await place.write('empty.jpg', '')
  await place.write('notes.jpg', 'no picture at all')
  await place.write('large.jpg', pictureOf('large', 3_000))
  const cases: [line: string, code: string | undefined][] = [
    ['missing.jpg', 'file_not_found'],
    ['folder.jpg', 'not_a_file'],
    ['empty.jpg', 'empty_image'],
    ['notes.jpg', 'not_an_image'],
    ['large.jpg', 'too_large'],
    [`${server.url}/page.jpg`, 'not_an_image'],
    [`${server.url}/none.jpg`, 'http_not_found'],
    [`${server.url}/secret.jpg`, 'http_forbidden'],
    [`${server.url}/broken.jpg`, 'http_error'],
    [`${server.url}/redirect.jpg`, 'too_many_redirects'],
    [`${server.url}/short.jpg`, 'short_body'],
    [`${server.url}/empty.jpg`, 'empty_image'],
    [`${server.url}/large.jpg`, 'too_large'],
    ['ftp://127.0.0.1/car.jpg', 'unsupported_url'],
    ['http://127.0.0.1:1/car.jpg', 'fetch_unreachable'],
    ['http://', 'bad_url'],
    [`${server.url}/good.jpg`, undefined],
  ]
  const flags = ['--max-image-bytes', '2500', '--concurrency', '32']
  const { exitCode, images, stderr, summary } = await place.ingest(
    cases.map(([line]) => line),
    flags,
  )
  expect(exitCode).toBe(1)
  expect(summary).toMatchObject({ images: 17, failed: 16, no_plate: 1, lookups: 1, stopped: null })
  const sorted = images.toSorted((a, b) => a.line - b.line)
  expect(sorted.map(({ source, error }) => [source, error?.code])).toEqual(cases)
  for (const { line, source, error, lookup } of sorted) {
    if (error === undefined) continue
    expect(lookup).toBe(false)
    expect(error.hint).toMatch(/^[A-Z].*\.$/)
    expect(stderr).toContain(`line ${line}: ${error.message} [${error.code}]\n  ${error.hint}`)
    expect(error.message).toContain(source)
  }
  expect(place.sandbox.lookups).toHaveLength(1)
})

test.each<[what: string, answer: Responder]>([
  ['that never answers', () => {}],
  ['that stops in the middle of the body', (_, response) => void response.write(PICTURE)],
])('--fetch-timeout ends waiting for a server %s, after three tries', async (_, answer) => {
  await using server = await startImageServer({ '/slow.jpg': answer })
  await using place = await createWorkplace()
  const run = await place.ingest([`${server.url}/slow.jpg`], ['--fetch-timeout', '0.2'])
  expect(run.exitCode).toBe(1)
  expect(run.images.map(({ error }) => error?.code)).toEqual(['fetch_timeout'])
  expect(run.images[0]?.error?.message).toContain('did not arrive within 0.2 s')
  expect(server.requests).toHaveLength(3)
  expect(place.sandbox.lookups).toEqual([])
})

test('a server that fails once is asked again', async () => {
  let asked = 0
  const flaky: Responder = (request, response) => {
    asked += 1
    if (asked === 1) status(503)(request, response)
    else response.end(PICTURE)
  }
  await using server = await startImageServer({ '/car.jpg': flaky })
  await using place = await createWorkplace()
  const { summary } = await place.ingest([`${server.url}/car.jpg`])
  expect(summary).toMatchObject({ no_plate: 1, failed: 0 })
  expect(server.requests).toHaveLength(2)
})

test('a file that cannot be opened says why', async () => {
  await using place = await createWorkplace()
  // A link to itself, since root may read whatever has forbidding modes.
  await symlink('car.jpg', join(place.folder, 'car.jpg'))
  const { images } = await place.ingest(['car.jpg'])
  expect(images[0]?.error).toMatchObject({
    code: 'file_unreadable',
    message: expect.stringContaining('ELOOP'),
  })
})

test('--max-image-bytes lets pass what is just as large', async () => {
  await using place = await createWorkplace()
  await place.write('car.jpg', PICTURE)
  const { summary } = await place.ingest(['car.jpg'], ['--max-image-bytes', '2000'])
  expect(summary).toMatchObject({ no_plate: 1, bytes: 2_000 })
})
