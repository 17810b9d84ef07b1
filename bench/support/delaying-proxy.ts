import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Stoppable } from '../../test/support/own-process.ts'

/** A PostgreSQL server that is far away, as far as its clients can tell. */
export interface DelayingProxy extends Stoppable {
  port: number
  /** Messages ReadyForQuery from the server: one ends every round trip of a connection that is set up. */
  roundTrips(): Promise<number>
}

/** Passes everything on to 127.0.0.1:`port`, each piece `delayMs` later, in order. */
export async function startDelayingProxy(options: {
  port: number
  delayMs: number
}): Promise<DelayingProxy> {
  const { port, delayMs } = options
  let readies = 0
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
    const count = readyCounter()
    passOn(client, upstream, delayMs)
    passOn(upstream, client, delayMs)
    upstream.on('data', (chunk: Buffer) => {
      readies += count(chunk)
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    roundTrips: async () => readies,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Timers of the same length go off in the order they were set, so the order is kept. */
function passOn(from: Socket, to: Socket, delayMs: number): void {
  const later = (act: () => unknown) => (delayMs > 0 ? setTimeout(act, delayMs) : act())
  from.on('data', (chunk) => later(() => to.write(chunk)))
  from.on('end', () => later(() => to.end()))
  from.on('close', () => later(() => to.destroy()))
}

const TYPE_AND_LENGTH = 5
const READY_FOR_QUERY = 'Z'.charCodeAt(0)

/** Counts in the server's stream of messages, each a type, a length that counts itself, and a body. */
function readyCounter(): (chunk: Buffer) => number {
  let held = Buffer.alloc(0)
  return (chunk) => {
    held = Buffer.concat([held, chunk])
    let found = 0
    let at = 0
    while (at + TYPE_AND_LENGTH <= held.length) {
      const end = at + 1 + held.readUInt32BE(at + 1)
      if (end > held.length) break
      if (held[at] === READY_FOR_QUERY) found += 1
      at = end
    }
    held = held.subarray(at)
    return found
  }
}
