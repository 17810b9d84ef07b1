import { afterAll, beforeAll, expect, test } from 'vitest'
import { fetchImageBytes } from '../../src/library.ts'
import { drawPicture } from '../support/drawn-images.ts'
import { type ImageServer, type Responder, startImageServer } from '../support/image-server.ts'

const EXPIRED = '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'

const refusing =
  (body: string): Responder =>
  (_request, response) =>
    response.writeHead(403, { 'content-type': 'application/xml' }).end(body)

const endless: Responder = (_request, response) => {
  response.writeHead(403)
  response.write(EXPIRED)
  const more = () => {
    while (response.write('x'.repeat(65_536)));
  }
  response.on('drain', more)
  more()
}
const broken: Responder = (request, response) => {
  response.writeHead(403, { 'content-length': 1_000 })
  response.write(EXPIRED, () => request.socket.destroy())
}

let server: ImageServer
beforeAll(async () => {
  server = await startImageServer({
    '/good.jpg': await drawPicture('jpeg'),
    '/expired.jpg': refusing(EXPIRED),
    '/forbidden.jpg': refusing('<Error><Code>AccessDenied</Code></Error>'),
    '/late.jpg': refusing(`${' '.repeat(100_000)}${EXPIRED}`),
    '/endless.jpg': endless,
    '/broken.jpg': broken,
    '/moved.jpg': (_, response) =>
      response.writeHead(302, { location: `/good.jpg?${signedUntil(-60)}` }).end(),
  })
})
afterAll(() => server[Symbol.asyncDispose]())

/** Signed so that it ends so many minutes from now, or ended before it. */
function signedUntil(minutes: number): string {
  const end = Math.round(Date.now() / 1_000 + minutes * 60)
  return `AWSAccessKeyId=AKIA&Expires=${end}&Signature=verysecret`
}

test.each<
  [what: string, path: string, minutes: number, code: string | undefined, requests: number]
>([
  ['is good for another hour', 'good.jpg', 60, undefined, 1],
  ['ended an hour ago', 'good.jpg', -60, 'link_expired', 0],
  ['ended a minute ago, by this clock, and is taken by the server', 'good.jpg', -1, undefined, 1],
  ['is over for the server', 'expired.jpg', 60, 'link_expired', 1],
  ['is refused', 'forbidden.jpg', 60, 'http_forbidden', 1],
  ['is refused in an answer without end', 'endless.jpg', 60, 'link_expired', 1],
  ['is refused in an answer whose reason comes late', 'late.jpg', 60, 'http_forbidden', 1],
  ['is refused in an answer that breaks off', 'broken.jpg', 60, 'http_forbidden', 1],
  ['leads to one that ended an hour ago, and is taken', 'moved.jpg', 60, undefined, 2],
])('a link that %s', async (_what, path, minutes, code, requests) => {
  const before = server.requests.length
  const link = `${server.url}/${path}?${signedUntil(minutes)}`
  const error = await fetchImageBytes(link).then(
    () => ({}),
    (thrown: unknown) => thrown,
  )
  expect(server.requests.length - before).toBe(requests)
  if (code === undefined) expect(error).toEqual({})
  else
    expect(error).toMatchObject({ code, message: expect.stringContaining(`${server.url}/${path}`) })
  expect(JSON.stringify(error) + String(error)).not.toContain('verysecret')
})
