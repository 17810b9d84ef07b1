import { IngestError, LookupError, LookupFailure } from './errors.ts'
import type { LOST_ANSWER } from './flags.ts'
import type { Pace } from './pace.ts'
import type { LookupResponse } from './response.ts'
import { type RetryPolicy, withRetry } from './retry.ts'
import type { Start } from './start-log.ts'

/** What `--lost-answer` may be. */
export type LostAnswer = (typeof LOST_ANSWER)[number]

/** `stop`: begin nothing more. `end`: give up what is under way too. */
export interface RunSignals {
  stop: AbortSignal
  end: AbortSignal
}

/** An answered lookup: `attempts` requests were sent, and `uncertain` of them may have been billed without an answer. */
export interface Answer {
  response: LookupResponse
  attempts: number
  uncertain: number
}

/** `--max-lookups`: how many requests that may be billed are left. */
export interface Budget {
  /** Takes one; false when none is left. */
  take(): boolean
  /** The request was certainly not billed. */
  giveBack(): void
}

export function createBudget(maxLookups: number | undefined): Budget {
  let left = maxLookups ?? Number.POSITIVE_INFINITY
  return {
    take() {
      if (left <= 0) return false
      left -= 1
      return true
    },
    giveBack() {
      left += 1
    },
  }
}

/** What turns single attempts into lookups. `onAttempt` is told of each request before it is sent. */
export interface LookupPlan<Subject> {
  send: (subject: Subject, signal: AbortSignal) => Promise<LookupResponse>
  pace: Pace
  budget: Budget
  policy: RetryPolicy
  lostAnswer: LostAnswer
  /** Done shortly before each request leaves: it may be billed from then on, whatever happens to this process. */
  asking?: ((subject: Subject) => Promise<void>) | undefined
  /** Done when a request failed for certain: no answer of it was lost. */
  notAsking?: ((subject: Subject) => Promise<void>) | undefined
  onAttempt?: (() => void) | undefined
  /** Told of each answer that was lost: the request may have been billed. */
  onUncertain?: (() => void) | undefined
  onThrottled?: ((waitMs: number) => void) | undefined
  /** A clock in milliseconds, `performance.now` when left out. */
  now?: (() => number) | undefined
}

/** So long may the API answer nothing but 429 before it counts as down. */
const LONGEST_THROTTLE_MS = 15 * 60_000

/**
 * Lookups that keep to the pace and the budget, wait out 429s as long as the API says without counting them as an
 * attempt, and are tried again after failures that another attempt may cure.
 * @throws {LookupFailure} when one failed for good; with `scope` run when all others would too
 */
export function lookUpPlatesBy<Subject>(plan: LookupPlan<Subject>) {
  const { send, pace, budget, policy, lostAnswer, asking, notAsking } = plan
  const { onAttempt, onUncertain, onThrottled } = plan
  const now = plan.now ?? (() => performance.now())
  /** When the first 429 came after which nothing was answered. A run may have had nothing to ask for long before. */
  let throttledSince: number | undefined

  /** One attempt that is not a 429: those are waited out here, by all lookups together. */
  async function attempt(
    subject: Subject,
    signals: RunSignals,
    onSent: () => void,
  ): Promise<LookupResponse> {
    for (;;) {
      const start = await pace.turn(signals.stop, asking && (() => asking(subject)))
      if (!budget.take()) {
        throw new LookupError('max_lookups', 'The budget of --max-lookups is used up.')
      }
      onSent()
      onAttempt?.()
      try {
        const response = await send(subject, signals.end)
        throttledSince = undefined
        pace.answered(start)
        return response
      } catch (thrown) {
        if (!(thrown instanceof LookupError)) throw thrown
        if (isUnbilled(thrown)) budget.giveBack()
        if (!thrown.isUncertain) await notAsking?.(subject)
        if (thrown.throttledForMs === undefined) {
          // Where the others cannot be told, the API will tell them.
          if (!signals.stop.aborted) await tellOthers(pace, start, thrown).catch(() => {})
          throw thrown
        }
        throttledSince ??= now()
        if (now() - throttledSince >= LONGEST_THROTTLE_MS) {
          throw new LookupError(
            'api_down',
            'The API has answered nothing but 429 for 15 minutes.',
            {
              hint: 'Is another program using the same account? Raise --delay, or run again later.',
              cause: thrown,
            },
          )
        }
        onThrottled?.(thrown.throttledForMs)
        await pace.throttled(start, thrown.throttledForMs)
      }
    }
  }

  /** `before`: the lookup of the same image that this one goes on with, its attempts and its lost answers included. */
  return async function lookUpPlates(
    subject: Subject,
    signals: RunSignals,
    before?: LookupFailure,
  ): Promise<Answer> {
    let { attempts, uncertain } = before ?? { attempts: 0, uncertain: 0 }
    let lost: LookupError | undefined = uncertain > 0 ? before : undefined
    const mayRetry = (error: Error) => {
      if (!(error instanceof LookupError) || !error.isRetryable) return false
      return (
        !error.isUncertain || lostAnswer === 'retry' || (lostAnswer === 'once' && uncertain < 2)
      )
    }
    const onSent = () => {
      attempts += 1
    }
    const once = async () => {
      try {
        return await attempt(subject, signals, onSent)
      } catch (thrown) {
        if (thrown instanceof LookupError && thrown.isUncertain) {
          uncertain += 1
          onUncertain?.()
          lost = thrown
        }
        throw thrown
      }
    }
    try {
      const response = await withRetry(once, policy, mayRetry, signals.stop)
      return { response, attempts, uncertain }
    } catch (thrown) {
      // What ends the run gives images back as if nothing had been asked; a lost answer has to be remembered.
      const isForAll = thrown instanceof IngestError && thrown.scope === 'run'
      const failure = signals.stop.aborted || isForAll ? (lost ?? thrown) : thrown
      if (!(failure instanceof LookupError)) throw failure
      const stops = isForAll && failure === lost ? thrown : undefined
      throw new LookupFailure(failure, { attempts, uncertain, stops })
    }
  }
}

/** What a failure says about the API, all processes on the account are to know. */
async function tellOthers(pace: Pace, start: Start, failure: LookupError): Promise<void> {
  const { isForAccount, isForWantOfApi, status } = failure
  if (isForAccount && status !== undefined) await pace.refused(failure, status)
  else if (isForWantOfApi) await pace.unanswered(start)
  else pace.answered(start)
}

/** Refused before any work was done on it, or never sent at all. */
function isUnbilled({ isUncertain, status, code }: LookupError): boolean {
  return !isUncertain && (code === 'api_unreachable' || (status !== undefined && status < 500))
}
