import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { authenticate } from './admission.ts'
import type { SandboxOptions, SandboxSwitches } from './options.ts'
import { answerLookup } from './plate-reader.ts'
import { emptyRecord, type SandboxLookup } from './record.ts'
import { plainRefusal, Refusal, refusalWithDetail } from './refusal.ts'
import { sendAnswer, sendRefusal } from './send.ts'
import { flavorOf, type Session, usageOf } from './session.ts'
import { slidingThrottle } from './throttle.ts'

/** A running local stand-in for the Snapshot API. */
export interface Sandbox extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/v1/plate-reader/` */
  readonly url: string
  /** Every POST to that address, refused and broken ones too, in order of arrival. */
  readonly lookups: readonly SandboxLookup[]
  billed(): readonly SandboxLookup[]
  /** Of one image, or of all. */
  billedCount(sha256?: string): number
  /** GETs of `/v1/statistics/`, refused ones too. */
  readonly statisticsRequests: number
  /** Forgets the record, the usage and the rate log; switches stay as they are. */
  reset(): void
  /** Turns the named switches from the next request on. A new rate begins with an empty log. */
  configure(changes: SandboxSwitches): void
  /** Destroys open connections; may be called again. */
  close(): Promise<void>
}

/**
 * Starts a server with the Snapshot API's contract, as far as public material shows it, on
 * 127.0.0.1. Throws when the port is taken.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, ...switches } = options
  const session: Session = {
    switches,
    record: emptyRecord(),
    throttle: slidingThrottle(switches.lookupsPerSecond),
  }
  const server = createServer((request, response) => {
    // A copy: what is under way when a test turns a switch or resets stays with what it began with.
    route(request, response, { ...session }).catch((error: unknown) => report(error, response))
  })
  // An idle connection closed by the server just as a client reuses it would look like a fault.
  server.keepAliveTimeout = 0
  const url = `http://127.0.0.1:${await listen(server, port)}/v1/plate-reader/`

  return {
    url,
    get lookups() {
      return session.record.lookups
    },
    get statisticsRequests() {
      return session.record.statisticsRequests
    },
    billed: () => session.record.lookups.filter((lookup) => lookup.billed),
    billedCount: (sha256) =>
      sha256 === undefined
        ? session.record.billedCalls
        : (session.record.billedBySha256.get(sha256) ?? 0),
    reset() {
      session.record = emptyRecord()
      session.throttle = slidingThrottle(session.switches.lookupsPerSecond)
    },
    configure(changes) {
      session.switches = { ...session.switches, ...changes }
      if ('lookupsPerSecond' in changes) {
        session.throttle = slidingThrottle(changes.lookupsPerSecond)
      }
    },
    close: () => close(server),
    [Symbol.asyncDispose]: () => close(server),
  }
}

async function route(request: IncomingMessage, response: ServerResponse, session: Session) {
  const flavor = flavorOf(session)
  const path = (request.url ?? '/').split('?')[0]
  try {
    if (path === '/v1/plate-reader/' || path === '/v1/plate-reader') {
      if (request.method === 'POST') return await answerLookup(request, response, session)
      authenticate(session, request.headers.authorization)
      throw methodNotAllowed(session, request.method ?? '')
    }
    if (request.method === 'GET' && flavor === 'cloud' && path === '/v1/statistics/') {
      session.record.statisticsRequests += 1
      authenticate(session, request.headers.authorization)
      sendJson(response, statistics(session))
    } else if (request.method === 'GET' && flavor === 'sdk' && path === '/info/') {
      sendJson(response, information(session))
    } else if (request.method === 'GET' && flavor === 'sdk' && path === '/') {
      sendAnswer(response, { status: 200, body: 'OK', contentType: 'text/plain; charset=utf-8' })
    } else {
      throw flavor === 'sdk' ? plainRefusal(404, 'Not Found') : refusalWithDetail(404, 'Not found.')
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    sendRefusal(response, error)
  }
}

function methodNotAllowed(session: Session, method: string): Refusal {
  const refusal =
    flavorOf(session) === 'sdk'
      ? plainRefusal(405, 'Method Not Allowed')
      : refusalWithDetail(405, `Method "${method}" not allowed.`)
  return new Refusal(405, refusal.body, { allow: 'POST' })
}

function sendJson(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value)
  sendAnswer(response, { status: 200, body, contentType: 'application/json' })
}

/** Sample 35: `total_calls` is the allowance, not the calls made. */
function statistics(session: Session): unknown {
  const now = new Date()
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth() + 1]
  const resetsOn = new Date(Date.UTC(year, month)).toISOString().replace('.000Z', 'Z')
  const { calls, maxCalls } = usageOf(session)
  return { usage: { month, calls, year, resets_on: resetsOn }, total_calls: maxCalls }
}

/** Sample 28: it holds the licence key, so a client must not log it. */
function information(session: Session): unknown {
  const { calls, maxCalls } = usageOf(session)
  return {
    version: '1.58.0',
    license_key: 'sandbox-license-key',
    total_calls: maxCalls,
    usage: { calls },
    webhooks: [],
  }
}

/** A client that left needs no answer; anything else is a bug, most often in a fault callback. */
function report(error: unknown, response: ServerResponse): void {
  if (response.headersSent) response.destroy()
  const body = `The sandbox failed: ${error instanceof Error ? error.stack : String(error)}\n`
  sendAnswer(response, { status: 500, body, contentType: 'text/plain; charset=utf-8' })
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no TCP address'))
      else resolve(address.port)
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
