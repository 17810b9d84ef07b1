import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Stoppable } from '../../test/support/own-process.ts'

/** What was asked of the host since it was last asked about that. */
export interface Served {
  requests: number
  notModified: number
  bodies: number
  bodyBytes: number
  connections: number
}

/** A web server with an image under every path; `url` has no slash at its end. */
export interface ImageHost extends Stoppable {
  url: string
  /** Tells and forgets. */
  report(): Promise<Served>
}

const MODIFIED = 'Fri, 30 May 2025 13:59:09 GMT'
const NOTHING: Served = { requests: 0, notModified: 0, bodies: 0, bodyBytes: 0, connections: 0 }

/**
 * Every path is another image: the picture in `file` and the path behind its end. ETag and Last-Modified never change, and
 * a request that names the ETag is answered 304.
 */
export async function startImageHost({ file }: { file: string }): Promise<ImageHost> {
  const base = await readFile(file)
  let served = { ...NOTHING }
  const server = createServer((request, response) => {
    served.requests += 1
    const path = request.url ?? '/'
    const etag = `"${path.slice(1)}"`
    const headers = { etag, 'last-modified': MODIFIED }
    if (request.headers['if-none-match'] === etag) {
      served.notModified += 1
      response.writeHead(304, headers).end()
      return
    }
    const body = Buffer.concat([base, Buffer.from(path)])
    served.bodies += 1
    served.bodyBytes += body.length
    const type = { 'content-type': 'image/jpeg', 'content-length': body.length }
    response.writeHead(200, { ...headers, ...type }).end(body)
  })
  server.on('connection', () => {
    served.connections += 1
  })
  // An idle connection closed just as a client reuses it would look like one more.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async report() {
      const told = served
      served = { ...NOTHING }
      return told
    },
    async stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
