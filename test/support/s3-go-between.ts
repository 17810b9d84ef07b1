import { type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { inject } from 'vitest'
import { type HttpServer, startHttpServer } from './http-server.ts'

/** What happens to a request on its way to the S3 server. */
export interface Interference {
  /** A status to answer with at once, and nothing passed on. */
  refuse?: (request: IncomingMessage) => number | undefined
  /** Another body of the same length. */
  damage?: (body: Buffer) => Buffer
}

/**
 * A server in front of the test S3 server that passes on what it gets, byte for byte, with the `Host` that was signed.
 * Requests are signed for its address, so the server behind takes it for one of its own names.
 */
export async function startS3GoBetween({
  refuse,
  damage = (body) => body,
}: Interference): Promise<HttpServer> {
  const target = new URL(inject('s3').endpoint)
  return startHttpServer(async (incoming, outgoing) => {
    const status = refuse?.(incoming)
    const body = await buffer(incoming)
    if (status !== undefined) {
      outgoing.writeHead(status).end()
      return
    }
    const { method, url, headers } = incoming
    const { hostname: host, port } = target
    const onward = request({ host, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    onward.end(body.length > 0 ? damage(body) : body)
  })
}
