import { setTimeout as sleep } from 'node:timers/promises'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import type { Stoppable } from '../../test/support/own-process.ts'

/** A limit of lookups in any rolling second, and how long it holds; the last holds on. */
export type Limit = { perSecond: number; forMs: number }

export interface PacedOptions {
  limits: readonly Limit[]
  /** How long an admitted lookup takes: any time between the two. */
  latencyMs: readonly [min: number, max: number]
}

/** One request; `atMs` is when its head arrived. */
export interface Request {
  atMs: number
  isAccepted: boolean
  isThrottled: boolean
  camera: string
}

/** The sandbox in a process of its own, where its clock is not disturbed by what is measured. */
export interface PacedSandbox extends Stoppable {
  url: string
  /**
   * Milliseconds since the first request of the last of so many cameras, before which not all processes were at work;
   * null as long as they are not.
   */
  msSince(cameras: number): Promise<number | null>
  /** Every request so far, `atMs` since the first. */
  requests(): Promise<Request[]>
}

/** Starts a sandbox whose limit changes as told, from the first request on. */
export async function startPacedSandbox(options: PacedOptions): Promise<PacedSandbox> {
  const { limits, latencyMs } = options
  const first = Promise.withResolvers<void>()
  const sandbox = await startSandbox({
    lookupsPerSecond: limits[0]?.perSecond,
    latencyMs,
    totalCalls: 1_000_000_000,
    resetBeforeBody() {
      first.resolve()
      return false
    },
  })
  void first.promise.then(async () => {
    for (const [index, { forMs }] of limits.entries()) {
      await sleep(forMs, undefined, { ref: false })
      const next = limits[index + 1]
      if (next !== undefined) sandbox.configure({ lookupsPerSecond: next.perSecond })
    }
  })
  const requests = (): Request[] => {
    const start = sandbox.lookups[0]?.atMs ?? 0
    return sandbox.lookups.map(({ atMs, billed, status, fields }) => ({
      atMs: atMs - start,
      isAccepted: billed,
      isThrottled: status === 429,
      camera: fields['camera_id']?.[0] ?? '',
    }))
  }
  return {
    url: sandbox.url,
    async msSince(cameras) {
      const start = startOf(requests(), cameras)
      return start === undefined
        ? null
        : performance.now() - (sandbox.lookups[0]?.atMs ?? 0) - start
    },
    requests: async () => requests(),
    stop: () => sandbox.close(),
  }
}

/** When the last of so many cameras came in; undefined when they have not all. */
export function startOf(requests: readonly Request[], cameras: number): number | undefined {
  const seen = new Set<string>()
  for (const { camera, atMs } of requests) {
    // Of a request whose body is still on its way, nobody knows the camera.
    if (camera !== '') seen.add(camera)
    if (seen.size === cameras) return atMs
  }
  return undefined
}
