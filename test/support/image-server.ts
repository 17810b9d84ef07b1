import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Responder = (request: IncomingMessage, response: ServerResponse) => void

/** A web server of images on 127.0.0.1 that remembers what was asked of it. */
export interface ImageServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly host: string
  /** Path and query of each request, in order of arrival. */
  readonly requests: readonly string[]
}

/** Serves bytes by path; a function answers as it likes, anything else is 404. */
export async function startImageServer(
  routes: Readonly<Record<string, Uint8Array | Responder>> = {},
): Promise<ImageServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const target = request.url ?? '/'
    requests.push(target)
    const route = routes[decodeURI(target.replace(/\?.*$/, ''))]
    if (typeof route === 'function') route(request, response)
    else if (route === undefined) response.writeHead(404).end('not here')
    else response.writeHead(200, { 'content-length': route.length }).end(route)
  })
  // An idle connection closed by the server just as a client reuses it would look like a fault.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
