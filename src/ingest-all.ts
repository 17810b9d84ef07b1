import { IngestError, InterruptedError, LookupError, LookupFailure } from './errors.ts'
import type { ImageRef } from './image-list.ts'
import type { RunSignals } from './look-up-plates.ts'
import type { Ingested, Outcome } from './outcome.ts'
import { isUntouched } from './pipeline.ts'

interface SettleOptions<Ref extends ImageRef> {
  /** Consecutive images failed for want of the API before the run stops. */
  stopAfter: number
  ingestOne: (ref: Ref, signals: RunSignals) => Promise<Ingested>
}

export interface IngestAllOptions<Ref extends ImageRef> extends SettleOptions<Ref> {
  /** Images at once. */
  inFlight: number
  onOutcome: (outcome: Outcome) => void
}

/** How a run is stopped, by itself or from outside. */
export interface Stopper extends RunSignals {
  /** Begins nothing more; `end` follows when the grace is over. Only the first reason counts. */
  halt(reason: unknown): void
}

/** @param graceMs how long lookups in flight are waited for after a stop, in milliseconds */
export function createStopper(graceMs: number): Stopper {
  const stopper = new AbortController()
  const { signal: stop } = stopper
  return { stop, end: followAfter(stop, graceMs), halt: (reason) => stopper.abort(reason) }
}

/**
 * Takes images to their outcomes, and stops the run when an error concerns all of it, or too many images in a row failed
 * for want of the API. It gives nothing for an image that is as if it had never been begun.
 */
export function createSettle<Ref extends ImageRef>(
  { stopAfter, ingestOne }: SettleOptions<Ref>,
  { stop, end, halt }: Stopper,
): (ref: Ref) => Promise<Outcome | undefined> {
  let withoutApi = 0

  return async (ref) => {
    const started = performance.now()
    const timed = () => ({ ref, ms: Math.round(performance.now() - started) })
    let outcome: Outcome
    try {
      const result = await ingestOne(ref, { stop, end })
      if (result.wasLookedUp) withoutApi = 0
      outcome = { ...result, ...timed() }
    } catch (error) {
      const isUnheard = isUntouched(error, stop)
      if (isUnheard || (error instanceof IngestError && error.scope === 'run')) halt(error)
      if (isUnheard) return undefined
      if (error instanceof LookupFailure && error.stops !== undefined) halt(error.stops)
      // A copy that shares another's failure, or an image left alone, says nothing new about the API.
      if (error instanceof LookupFailure && error.attempts > 0) {
        withoutApi = error.isForWantOfApi ? withoutApi + 1 : 0
      }
      if (withoutApi >= stopAfter) halt(apiDown(withoutApi, error))
      outcome = { outcome: 'failed', error, ...timed() }
    }
    return outcome
  }
}

/**
 * The list, `inFlight` images at a time. An error that concerns the run, or `signal`, stops it in good order: nothing
 * new is begun, and lookups in flight are finished and written.
 * @returns what stopped it; undefined when it got through
 */
export async function ingestAll<Ref extends ImageRef>(
  list: (signal: AbortSignal) => AsyncGenerator<Ref>,
  { inFlight, onOutcome, ...options }: IngestAllOptions<Ref>,
  stopper: Stopper,
  signal: AbortSignal,
): Promise<unknown> {
  const { stop, halt } = stopper
  const settle = createSettle(options, stopper)
  const interrupt = () => halt(new InterruptedError())
  signal.addEventListener('abort', interrupt, { once: true })
  if (signal.aborted) interrupt()
  try {
    const refs = list(stop)
    const work = async () => {
      for await (const ref of refs) {
        if (stop.aborted) break
        const outcome = await settle(ref)
        if (outcome !== undefined) onOutcome(outcome)
      }
    }
    // A list that breaks off stops the run like anything else that concerns all of it.
    const works = Array.from({ length: inFlight }, () => work().catch(halt))
    await Promise.all(works)
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
  return stop.reason
}

/** A signal that aborts a while after another one did. */
function followAfter(first: AbortSignal, delayMs: number): AbortSignal {
  const follower = new AbortController()
  const follow = () => setTimeout(() => follower.abort(first.reason), delayMs).unref()
  first.addEventListener('abort', follow, { once: true })
  return follower.signal
}

function apiDown(images: number, cause: unknown): LookupError {
  const last = cause instanceof Error ? ` The last: ${cause.message}` : ''
  const what = images === 1 ? 'An image' : `${images} images in a row`
  return new LookupError('api_down', `${what} failed because the API does not answer.${last}`, {
    cause,
  })
}
