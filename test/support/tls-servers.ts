import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { generate } from 'selfsigned'

/** Key and certificate, PEM. */
export interface Identity {
  key: string
  cert: string
}

const DAY_MS = 86_400_000
const EC = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const

/** An authority of a test's own, and certificates by it: one that is right for `127.0.0.1`, and three that are not. */
export interface Authority {
  /** Its own certificate, PEM. */
  certificate: string
  right: Identity
  /** By nobody but itself. */
  selfSigned: Identity
  otherName: Identity
  expired: Identity
}

export async function createAuthority(): Promise<Authority> {
  const authority = await generate([{ name: 'commonName', value: 'Test Authority' }], {
    ...EC,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  })
  const ca = { key: authority.private, cert: authority.cert }
  const right = { ip: '127.0.0.1' }
  const expired = { from: Date.now() - 9 * DAY_MS, to: Date.now() - 2 * DAY_MS }
  return {
    certificate: authority.cert,
    right: await identity({ ca, ...right }),
    selfSigned: await identity(right),
    otherName: await identity({ ca, host: 'other.example.com' }),
    expired: await identity({ ca, ...right, ...expired }),
  }
}

async function identity({
  ca,
  ip,
  host = 'localhost',
  from = Date.now() - DAY_MS,
  to = Date.now() + DAY_MS,
}: {
  ca?: Identity
  ip?: string
  host?: string
  from?: number
  to?: number
}): Promise<Identity> {
  const names = [{ type: 2 as const, value: host }, ...(ip ? [{ type: 7 as const, ip }] : [])]
  const pem = await generate([{ name: 'commonName', value: host }], {
    ...EC,
    ...(ca && { ca }),
    notBeforeDate: new Date(from),
    notAfterDate: new Date(to),
    extensions: [{ name: 'subjectAltName', altNames: names }],
  })
  return { key: pem.private, cert: pem.cert }
}

/** A server behind TLS on 127.0.0.1. */
export interface TlsServer extends AsyncDisposable {
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  /** Method and URL of every request that got through TLS. */
  readonly requests: readonly string[]
}

export async function startTlsServer(
  { key, cert }: Identity,
  answer: RequestListener,
): Promise<TlsServer> {
  const requests: string[] = []
  const server = createServer({ key, cert }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
