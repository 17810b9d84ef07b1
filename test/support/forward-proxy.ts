import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { startHttpServer } from './http-server.ts'

/** A forward proxy as HTTP_PROXY names one: plain requests by absolute URL, tunnels by CONNECT. */
export type ForwardProxy = AsyncDisposable & {
  url: string
  /** Of each plain request `GET http://…`, of each tunnel `CONNECT host:port`. */
  passed: string[]
}

export async function startForwardProxy(): Promise<ForwardProxy> {
  const proxy = await startHttpServer((incoming, outgoing) => {
    const { method, headers, url = '' } = incoming
    const { 'proxy-connection': _, ...passedOn } = headers
    const onward = request(url, { method, headers: passedOn }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  const tunnels = new Set<Socket>()
  proxy.server.on('connect', (incoming, client: Socket) => {
    proxy.requests.push(`${incoming.method} ${incoming.url}`)
    const [host = '', port] = (incoming.url ?? '').split(':')
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      client.pipe(target).pipe(client)
    })
    for (const socket of [client, target]) {
      tunnels.add(socket)
      socket.on('error', () => socket.destroy())
    }
  })
  return {
    url: proxy.url,
    passed: proxy.requests,
    async [Symbol.asyncDispose]() {
      for (const socket of tunnels) socket.destroy()
      await proxy[Symbol.asyncDispose]()
    },
  }
}
