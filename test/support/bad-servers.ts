import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { generate } from 'selfsigned'
import type { ErrorCode } from '../../src/advice.ts'
import { disposables } from './disposables.ts'
import { type Responder, startImageServer } from './image-server.ts'
import { pictureOf } from './sample-pictures.ts'

const PICTURE = pictureOf('a car', 2_000)

const status =
  (code: number): Responder =>
  (_, response) =>
    response.writeHead(code).end('no')
const sending =
  (body?: string | Buffer): Responder =>
  (_, response) =>
    response.end(body)
const redirect =
  (location?: string): Responder =>
  (_, response) =>
    response.writeHead(302, location === undefined ? {} : { location }).end()
/** A length is announced, and what is sent then is another matter. */
const announcing =
  (length: number, send: Responder): Responder =>
  (request, response) => {
    response.writeHead(200, { 'content-length': length })
    send(request, response)
  }

/** `/redirects-6` leads to `/redirects-5` and so on. */
const countDown: Responder = (request, response) =>
  redirect(`/redirects-${Number(request.url?.slice(-1)) - 1}`)(request, response)
const breakingOff: Responder = (_, response) => response.write(PICTURE, () => response.destroy())
const endless: Responder = (_, response) => {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536, PICTURE)));
  }
  response.on('drain', more)
  more()
}
const dripping: Responder = (_, response) => {
  const timer = setInterval(() => response.write('.'), 20)
  response.on('close', () => clearInterval(timer))
}
const hangingUp: Responder = (request) => request.socket.destroy()

/** What the server answers under a path, and the code under which a line with that address fails. */
const ANSWERS: [what: string, code: ErrorCode, path: string, answer: Responder][] = [
  ['status 400', 'http_error', '/400.jpg', status(400)],
  ['status 401', 'http_forbidden', '/401.jpg', status(401)],
  ['status 403', 'http_forbidden', '/403.jpg', status(403)],
  ['status 404', 'http_not_found', '/404.jpg', status(404)],
  ['status 410', 'http_not_found', '/410.jpg', status(410)],
  ['status 429 for ever', 'http_error', '/429.jpg', status(429)],
  ['status 500 for ever', 'http_error', '/500.jpg', status(500)],
  ['status 204 without a body', 'http_error', '/204.jpg', status(204)],
  ['status 206', 'http_error', '/206.jpg', status(206)],
  ['an empty body', 'empty_image', '/empty.jpg', sending()],
  ['a page to log in', 'not_an_image', '/page.jpg', sending('<html></html>')],
  ['half a picture', 'truncated_image', '/half.jpg', sending(PICTURE.subarray(0, 1_000))],
  ['a redirect to itself', 'too_many_redirects', '/loop.jpg', redirect('/loop.jpg')],
  ['six redirects', 'too_many_redirects', '/redirects-6', countDown],
  ['a redirect to a file', 'bad_redirect', '/to-file.jpg', redirect('file:///etc/hostname')],
  ['a redirect to FTP', 'bad_redirect', '/to-ftp.jpg', redirect('ftp://127.0.0.1/car.jpg')],
  ['a redirect to nowhere', 'bad_redirect', '/to-nowhere.jpg', redirect()],
  ['30 MB, announced', 'too_large', '/30.jpg', announcing(30_000_000, endless)],
  ['bytes without end', 'too_large', '/endless.jpg', endless],
  ['less than announced', 'short_body', '/less.jpg', announcing(3_000, breakingOff)],
  ['more than announced', 'truncated_image', '/more.jpg', announcing(900, sending(PICTURE))],
  ['chunks that break off', 'short_body', '/chunks.jpg', breakingOff],
  ['a body that drips in', 'fetch_timeout', '/drip.jpg', announcing(3_000, dripping)],
  ['nothing', 'fetch_timeout', '/silent.jpg', () => {}],
  ['a connection cut at once', 'fetch_unreachable', '/cut.jpg', hangingUp],
]

/** A web server and one behind TLS, `127.0.0.1:PORT` each, whose answers are no images. */
export interface BadServers extends AsyncDisposable {
  readonly host: string
  /** Its certificate is signed by nobody but itself. */
  readonly tlsHost: string
}

/** Starts both; `good` is served as well. */
export async function startBadServers(
  good: Readonly<Record<string, Uint8Array | Responder>>,
): Promise<BadServers> {
  const open = disposables()
  const bad = ANSWERS.map(([, , path, answer]) => [path, answer])
  const counting = Array.from({ length: 6 }, (_, left) => [`/redirects-${left}`, countDown])
  const routes = Object.fromEntries([...bad, ...counting])
  const { host } = open.use(await startImageServer({ ...routes, ...good }))
  const pem = await generate([{ name: 'commonName', value: '127.0.0.1' }], { keySize: 2048 })
  const tls = createServer({ key: pem.private, cert: pem.cert }, sending(PICTURE))
  tls.listen(0, '127.0.0.1')
  await once(tls, 'listening')
  open.defer(async () => {
    tls.close()
    tls.closeAllConnections()
    await once(tls, 'close')
  })
  const tlsHost = `127.0.0.1:${(tls.address() as AddressInfo).port}`
  return { host, tlsHost, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() }
}

type BadAddress = [what: string, code: ErrorCode, line: (at: BadServers) => string]

const ADDRESSES: BadAddress[] = [
  [
    'a server that signed its own certificate',
    'fetch_unreachable',
    (at) => `https://${at.tlsHost}/`,
  ],
  ['a TLS server asked without', 'fetch_unreachable', (at) => `http://${at.tlsHost}/car.jpg`],
  ['a plain server asked for TLS', 'fetch_unreachable', (at) => `https://${at.host}/car.jpg`],
  ['a port that nobody listens on', 'fetch_unreachable', () => 'http://127.0.0.1:1/car.jpg'],
  // A name with an empty part: no name server needs to be there to say so.
  ['a host that does not exist', 'fetch_unreachable', () => 'http://no..such.invalid/car.jpg'],
  ['an address that cannot be parsed', 'bad_url', () => 'http://['],
  ['an address without a host', 'bad_url', () => 'http://'],
  ['a port beyond all ports', 'bad_url', () => 'http://127.0.0.1:99999/car.jpg'],
  ['a data: address', 'unsupported_url', () => 'data:image/png;base64,iVBORw0KGgo='],
  ['an ftp: address', 'unsupported_url', () => 'ftp://127.0.0.1/car.jpg'],
  ['a file: address', 'unsupported_url', () => 'file:///etc/hostname'],
  ['an s3: address', 'unsupported_url', () => 's3://bucket/car.jpg'],
]

/** Lines that name an address, each with the code of its failure. */
export const BAD_ADDRESSES: BadAddress[] = [
  ...ANSWERS.map(
    ([what, code, path]): BadAddress => [
      `an address that gives ${what}`,
      code,
      ({ host }) => `http://${host}${path}`,
    ],
  ),
  ...ADDRESSES,
]
