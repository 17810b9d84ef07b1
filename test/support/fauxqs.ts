import type { AddressInfo } from 'node:net'
import { buildApp } from 'fauxqs'
import type { S3Server } from './s3.ts'

/**
 * An S3 server in memory, for machines with neither Docker nor Ceph. It takes any key, signature and
 * expiry and ignores `IfNoneMatch`. Its own start function would listen on every interface.
 */
export async function startFauxqsHere({ port = 0 }: { port?: number } = {}): Promise<S3Server> {
  const app = buildApp({ logger: false })
  await app.listen({ host: '127.0.0.1', port })
  const address = app.server.address() as AddressInfo
  return {
    name: 'fauxqs',
    endpoint: `http://127.0.0.1:${address.port}`,
    accessKeyId: 'fauxqs',
    secretAccessKey: 'any-secret-will-do',
    region: 'us-east-1',
    verifiesSignatures: false,
    async stop() {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}
