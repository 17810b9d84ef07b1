import type { IncomingMessage } from 'node:http'

/**
 * The whole body, read once, or `undefined` when it is longer than `limitBytes`. A longer one is
 * still drained, so that the client can finish writing and read its 413. Throws when the client
 * goes away.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes = Number.POSITIVE_INFINITY,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= limitBytes) chunks.push(chunk)
      else chunks.length = 0
    })
    request.on('end', () => resolve(bytes <= limitBytes ? Buffer.concat(chunks, bytes) : undefined))
    request.on('error', reject)
  })
}
