import { once } from 'node:events'
import { buildApp } from 'fauxqs'
import { freePort } from './free-port.ts'
import type { RestartableS3 } from './s3.ts'

/**
 * An S3 server in memory, for machines with neither Docker nor Ceph. It takes any key, signature and
 * expiry and ignores `IfNoneMatch`. Its own start function would listen on every interface.
 */
export async function startFauxqsHere(): Promise<RestartableS3> {
  const app = buildApp({ logger: false })
  const port = await freePort()
  await app.listen({ host: '127.0.0.1', port })
  const { server } = app
  return {
    name: 'fauxqs',
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'fauxqs',
    secretAccessKey: 'any-secret-will-do',
    region: 'us-east-1',
    verifiesSignatures: false,
    async up() {
      if (server.listening) return
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    // The buckets stay in the memory of this process; only nobody gets to them.
    async down() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
    async stop() {
      server.closeAllConnections()
      await app.close()
    },
  }
}
