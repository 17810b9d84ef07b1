import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A small server on 127.0.0.1 whose handler a test swaps. */
export type HttpServer = AsyncDisposable & {
  /** Without a slash at its end. */
  url: string
  port: number
  server: Server
  /** Method and URL of every request, in order of arrival. */
  requests: string[]
  answerWith(handler: RequestListener): void
}

export async function startHttpServer(first: RequestListener = notFound): Promise<HttpServer> {
  let handler = first
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    requests,
    answerWith(next) {
      handler = next
      requests.length = 0
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const notFound: RequestListener = (_request, response) => response.writeHead(404).end()
