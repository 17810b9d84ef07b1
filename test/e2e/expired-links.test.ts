import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Responder, startImageServer } from '../support/image-server.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

const EXPIRED = `<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code><Message>Invalid argument.</Message></Error>`

/** As S3 signs a link, so many seconds ago for so many. */
function signed(agoS: number, lifeS: number, signature: string): string {
  const at = new Date(Date.now() - agoS * 1_000).toISOString().replace(/[-:]|\.\d+/g, '')
  return `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=${at}&X-Amz-Expires=${lifeS}&X-Amz-Signature=${signature}`
}

const answering =
  (status: number, body: string): Responder =>
  (_request, response) =>
    response.writeHead(status).end(body)

/** Whoever has it is told so. */
const car: Responder = (request, response) => {
  const etag = '"v1"'
  if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end()
  else response.writeHead(200, { etag }).end(pictureOf('car.jpg'))
}

test('links whose time is over are told from forbidden ones, and made anew they are the same sources', async () => {
  await using server = await startImageServer({
    '/car.jpg': car,
    '/old.jpg': pictureOf('old.jpg'),
    '/over.jpg': answering(400, EXPIRED),
    '/secret.jpg': answering(403, '<Error><Code>AccessDenied</Code></Error>'),
  })
  await using place = await createWorkplace()
  const link = (name: string, query: string) => `${server.url}/${name}.jpg?${query}`
  const lines = [
    link('car', signed(0, 600, 'secret1')),
    link('car', `x-id=GetObject&${signed(60, 6_000, 'secret2')}`),
    link('old', signed(7_200, 3_600, 'secret3')),
    link('over', signed(0, 600, 'secret4')),
    link('secret', signed(0, 600, 'secret5')),
  ]
  const first = await place.ingest(lines, ['--failed', 'failed.txt', '--concurrency', '1'])
  expect(first.exitCode, first.stderr).toBe(1)
  expect(first.summary).toMatchObject({
    images: 5,
    failed: 3,
    duplicate: 1,
    lookups: 1,
    attempts: 1,
  })
  expect(
    first.images.flatMap(({ source, error }) => (error ? [[source, error.code]] : [])),
  ).toEqual([
    [`${server.url}/old.jpg`, 'link_expired'],
    [`${server.url}/over.jpg`, 'link_expired'],
    [`${server.url}/secret.jpg`, 'http_forbidden'],
  ])
  expect(first.stderr).toMatch(
    /The link to \S+\/old\.jpg expired \d+ min ago, at 20\S+Z; nothing was requested\. \[link_expired\]\n {2}Make a new link/,
  )
  expect(first.stdout + first.stderr).not.toMatch(/secret\d/)
  const failed = await readFile(join(place.folder, 'failed.txt'), 'utf8')
  expect(failed.trim().split('\n')).toEqual(lines.slice(2))
  // Of the two that cost a request each, none was tried again.
  expect(server.requests.map((target) => target.replace(/\?.*/, ''))).toEqual([
    ...['/car.jpg', '/car.jpg', '/over.jpg', '/secret.jpg'],
  ])

  const anew = [link('car', signed(0, 60, 'secret6')), link('old', signed(0, 60, 'secret7'))]
  const second = await place.ingest(anew)
  expect(second.exitCode, second.stderr).toBe(0)
  expect(second.summary).toMatchObject({ duplicate: 1, not_modified: 1, lookups: 1 })
  const kept = await place.query<{ source: string; failures: number }>(
    `SELECT source, (SELECT count(*)::int FROM image_failures f WHERE f.source = s.source) AS failures
     FROM image_sources s ORDER BY source`,
  )
  expect(kept).toEqual([
    { source: `${server.url}/car.jpg`, failures: 0 },
    { source: `${server.url}/old.jpg`, failures: 0 },
  ])
  expect(place.sandbox.billedCount()).toBe(2)
})
