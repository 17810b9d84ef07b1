import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'

/** The test server behind TLS with a certificate that nobody has signed but itself, as a hosted one might have. */
export type TlsPostgres = AsyncDisposable & {
  /** The given URL through TLS; `sslmode` is the caller's to add. */
  url: URL
  /** The certificate, PEM. */
  certificate: string
  /** Connections that got as far as speaking PostgreSQL inside TLS. */
  encrypted: number
}

/** PostgreSQL's SSLRequest: length 8, code 80877103 (protocol flow, "SSL Session Encryption"). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

const WEEK_MS = 7 * 86_400_000

/** @param validUntil when the certificate ends; a year from now when left out */
export async function startTlsPostgres(
  target: string,
  host = 'localhost',
  validUntil?: Date,
): Promise<TlsPostgres> {
  const pem = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    ...(validUntil && {
      notBeforeDate: new Date(validUntil.getTime() - WEEK_MS),
      notAfterDate: validUntil,
    }),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  })
  const secureContext = createSecureContext({ key: pem.private, cert: pem.cert })
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => client.destroy())
    client.once('data', (first) => {
      if (!first.equals(SSL_REQUEST)) {
        client.destroy()
        return
      }
      client.write('S')
      const inside = new TLSSocket(client, { isServer: true, secureContext })
      inside.on('error', () => client.destroy())
      inside.once('secure', () => {
        const behind = connect(Number(port), hostname)
        sockets.add(behind)
        behind.on('error', () => client.destroy())
        inside.once('data', () => {
          opened.encrypted += 1
        })
        inside.pipe(behind).pipe(inside)
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.hostname = 'localhost'
  url.port = String((server.address() as AddressInfo).port)
  const opened: TlsPostgres = {
    url,
    certificate: pem.cert,
    encrypted: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
  return opened
}
