import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Stoppable } from '../../test/support/own-process.ts'
import { ANSWER, INFORMATION } from './answer.ts'

/** What a server was asked since it started or was last asked about it. */
export interface Swallowed {
  requests: number
  /** Requests with a body. */
  bodies: number
  bytes: number
  /** Connections opened. */
  connections: number
}

/** A server so cheap that it is not what is measured. `url` has no slash at its end. */
export interface SwallowingServer extends Stoppable {
  url: string
  /** Tells and forgets. */
  report(): Promise<Swallowed>
}

type Answer = { text: string; afterMs?: number }

const reply = (status: string, body = '', type = 'application/json') =>
  `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** An SDK that sees the same plate in everything. @param latencyMs how long it looks */
export function startFastSdk({ latencyMs }: { latencyMs: number }): Promise<SwallowingServer> {
  const seen = { text: reply('200 OK', ANSWER), afterMs: latencyMs }
  const information = { text: reply('200 OK', INFORMATION) }
  return startSwallowing((head) => (head.startsWith('POST') ? seen : information))
}

/** An S3 server that has every bucket, takes every object and keeps none. */
export function startImageStore(): Promise<SwallowingServer> {
  const there = { text: reply('200 OK') }
  const notThere = { text: reply('404 Not Found') }
  const taken = { text: 'HTTP/1.1 200 OK\r\netag: "0"\r\ncontent-length: 0\r\n\r\n' }
  return startSwallowing((head) => {
    if (head.startsWith('PUT')) return taken
    return /^HEAD \/[^/?]+\/?[? ]/.test(head) ? there : notThere
  })
}

/** HTTP on the bare socket: heads are read, bodies are counted by their length and let go. */
async function startSwallowing(answerTo: (head: string) => Answer): Promise<SwallowingServer> {
  let swallowed: Swallowed = { requests: 0, bodies: 0, bytes: 0, connections: 0 }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    swallowed.connections += 1
    sockets.add(socket)
    let held: Buffer = Buffer.alloc(0)
    let head = ''
    let left = 0
    const finish = () => {
      const { text, afterMs = 0 } = answerTo(head)
      if (afterMs > 0) setTimeout(() => socket.write(text), afterMs)
      else socket.write(text)
    }
    /** @returns what is behind the head; undefined while it is not whole */
    const begin = (bytes: Buffer) => {
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
      const end = held.indexOf('\r\n\r\n')
      if (end === -1) return undefined
      head = held.toString('latin1', 0, end)
      const rest = held.subarray(end + 4)
      held = Buffer.alloc(0)
      left = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      if (/transfer-encoding/i.test(head)) throw new Error('only bodies of a known length')
      if (/expect: *100-continue/i.test(head)) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      swallowed.requests += 1
      if (left > 0) swallowed.bodies += 1
      else finish()
      return rest
    }
    socket.on('data', (chunk) => {
      for (let rest: Buffer | undefined = chunk; rest !== undefined && rest.length > 0; ) {
        if (left === 0) {
          rest = begin(rest)
          continue
        }
        const taken: number = Math.min(left, rest.length)
        left -= taken
        swallowed.bytes += taken
        if (left === 0) finish()
        rest = rest.subarray(taken)
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async report() {
      const told = swallowed
      swallowed = { requests: 0, bodies: 0, bytes: 0, connections: 0 }
      return told
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
