import { LookupError, type LookupFailure } from '../../src/errors.ts'
import { createBudget, type LookupPlan, lookUpPlatesBy } from '../../src/look-up-plates.ts'
import type { LookupResponse } from '../../src/response.ts'

/** What the API does with one request: answers it, or fails it. */
export type Step = 'answer' | LookupError

export const ANSWER: LookupResponse = { results: [], raw: { results: [] }, noted: { mended: [] } }

export const LOST = new LookupError('answer_lost', 'The connection broke off.', {
  isRetryable: true,
  isUncertain: true,
  isForWantOfApi: true,
})
export const UNREACHABLE = new LookupError('api_unreachable', 'Nobody listens.', {
  isRetryable: true,
  isForWantOfApi: true,
})
export const SERVER_FAULT = new LookupError('api_error', 'The API answered 503.', {
  status: 503,
  isRetryable: true,
  isForWantOfApi: true,
})
export const REJECTED = new LookupError('api_rejected', 'The API answered 400.', { status: 400 })
export const REFUSED = new LookupError('api_refused', 'The API answered 403.', {
  status: 403,
  isForAccount: true,
})

export function throttled(waitMs: number): LookupError {
  const facts = { status: 429, isRetryable: true, throttledForMs: waitMs }
  return new LookupError('api_error', 'The API answered 429.', facts)
}

export interface Script extends Partial<LookupPlan<string>> {
  /** Requests beyond the last step are answered. */
  steps?: readonly Step[]
  maxLookups?: number
  retries?: number
  /** Called before each request is answered, with how many there were. */
  beforeAnswer?: (requests: number) => void
}

/** Lookups against an API that does what `steps` say, at no pace, with retries that wait a millisecond at most. */
export function scriptedLookups({
  steps = [],
  maxLookups,
  retries = 5,
  beforeAnswer,
  ...plan
}: Script) {
  const seen = { requests: 0, waits: [] as number[], told: [] as string[] }
  const stop = new AbortController()
  const lookUp = lookUpPlatesBy<string>({
    async send() {
      const step = steps[seen.requests] ?? 'answer'
      seen.requests += 1
      beforeAnswer?.(seen.requests)
      if (step === 'answer') return ANSWER
      throw step
    },
    pace: {
      async turn(signal) {
        signal.throwIfAborted()
        return { at: 0, spacingMs: 0, outcome: undefined }
      },
      throttled: async (_start, waitMs) => void seen.waits.push(waitMs),
      answered: () => void seen.told.push('answered'),
      unanswered: async () => void seen.told.push('unanswered'),
      refused: async (_error, status) => void seen.told.push(`refused ${status}`),
    },
    budget: createBudget(maxLookups),
    policy: { retries, firstMs: 1, factor: 1, longestMs: 1 },
    lostAnswer: 'once',
    ...plan,
  })
  const { signal: end } = new AbortController()
  const signals = { stop: stop.signal, end }
  return {
    seen,
    stop,
    lookUp: (before?: LookupFailure) => lookUp('car.jpg', signals, before),
  }
}
