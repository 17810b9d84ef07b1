import { ADVICE, type ErrorCode } from './advice.ts'

/** What may be said beyond the code and the message. `hint` replaces the code's own advice where more is known. */
export interface ErrorDetails extends ErrorOptions {
  hint?: string | undefined
}

/** `image` fails one image and the run goes on; `run` stops before more is spent. */
export abstract class IngestError extends Error {
  readonly code: ErrorCode
  readonly scope: 'image' | 'run'
  readonly hint: string

  constructor(code: ErrorCode, message: string, { hint, ...options }: ErrorDetails = {}) {
    super(message, options)
    forgetBytes(options.cause)
    const advice: { scope?: 'run'; hint: string } = ADVICE[code]
    this.code = code
    this.scope = advice.scope ?? 'image'
    this.hint = hint ?? advice.hint
  }
}

/**
 * undici hangs what it could not read as HTTP on its error: an answer that may repeat the key it was asked with, and a
 * program may print all that hangs on an error.
 */
function forgetBytes(cause: unknown): void {
  if (cause instanceof Error && cause.name === 'HTTPParserError') {
    Reflect.deleteProperty(cause, 'data')
  }
}

/** One wrong or missing setting or flag, and what to do about it. */
export interface ConfigProblem {
  name: string
  message: string
}

/** Wrong flags or settings, all of them at once: nothing was started (exit 2). */
export class ConfigError extends IngestError {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ name, message }) => `  ${name} ${message}`)
    super('config', `There is something to set right first:\n${lines.join('\n')}`)
    this.problems = problems
  }
}

/** An image that could not be had, or is none. `isTransient`: another try may go well. */
export class FetchError extends IngestError {
  override readonly name = 'FetchError'
  readonly isTransient: boolean

  constructor(
    code: ErrorCode,
    message: string,
    { isTransient = false, ...details }: ErrorDetails & { isTransient?: boolean } = {},
  ) {
    super(code, message, details)
    this.isTransient = isTransient
  }
}

/** What is known of a failed attempt, so that nobody has to read it out of the message. */
export interface LookupFacts {
  /** Another attempt may go well. */
  isRetryable?: boolean | undefined
  /** The answer was lost after the request had been sent: it may have been billed. */
  isUncertain?: boolean | undefined
  /** 5xx, network or time-out: it says something about the API, not about the image. */
  isForWantOfApi?: boolean | undefined
  /** The key was refused, or has no credits: so it would be for every image. */
  isForAccount?: boolean | undefined
  /** Only for 429: how long the API asks to wait, in milliseconds. */
  throttledForMs?: number | undefined
  /** The HTTP status, where an answer came. */
  status?: number | undefined
  /** The beginning of an answer that could not be read: it was probably paid for. */
  body?: string | undefined
}

/** A lookup, or one attempt at it, that brought no answer. */
export class LookupError extends IngestError {
  override readonly name = 'LookupError'
  readonly isRetryable: boolean
  readonly isUncertain: boolean
  readonly isForWantOfApi: boolean
  readonly isForAccount: boolean
  readonly throttledForMs: number | undefined
  readonly status: number | undefined
  readonly body: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    { hint, cause, ...facts }: ErrorDetails & LookupFacts = {},
  ) {
    super(code, message, { hint, cause })
    this.isRetryable = facts.isRetryable ?? false
    this.isUncertain = facts.isUncertain ?? false
    this.isForWantOfApi = facts.isForWantOfApi ?? false
    this.isForAccount = facts.isForAccount ?? false
    this.throttledForMs = facts.throttledForMs
    this.status = facts.status
    this.body = facts.body
  }
}

/** What a lookup that failed has cost, and what it means. */
export interface LookupCosts {
  /** Requests sent. */
  attempts: number
  /** Of these: answer lost, perhaps billed. */
  uncertain: number
  /** The answer came, and what came after it failed. */
  isAnswered?: boolean | undefined
  /** The image failed for a reason of its own, and beside it this stops the run. */
  stops?: IngestError | undefined
}

/** A lookup that failed for good, with the requests it took. */
export class LookupFailure extends LookupError implements LookupCosts {
  readonly attempts: number
  readonly uncertain: number
  readonly isAnswered: boolean
  readonly stops: IngestError | undefined

  constructor(error: LookupError, { attempts, uncertain, isAnswered, stops }: LookupCosts) {
    const { code, message, hint, cause } = error
    super(code, message, { ...error, hint, cause })
    this.attempts = attempts
    this.uncertain = uncertain
    this.isAnswered = isAnswered ?? false
    this.stops = stops
  }
}

/** An image that was asked for by an id or a SHA-256, and cannot be given. */
export class ImageError extends IngestError {
  override readonly name = 'ImageError'
}

/** The image store refused or could not be reached. */
export class StorageError extends IngestError {
  override readonly name = 'StorageError'
}

/** The database refused, could not be reached, or has not the schema this version needs. */
export class DatabaseError extends IngestError {
  override readonly name = 'DatabaseError'
  /** The connection failed: the same may go well in a moment. */
  readonly isTransient: boolean

  constructor(
    code: ErrorCode,
    message: string,
    { isTransient = false, ...details }: ErrorDetails & { isTransient?: boolean } = {},
  ) {
    super(code, message, details)
    this.isTransient = isTransient
  }
}

/** Answers that were paid for could not be kept in, or read from, a file while the database was away. */
export class SpoolError extends IngestError {
  override readonly name = 'SpoolError'

  constructor(path: string, cause: unknown) {
    super('spool_failed', `${path} cannot be used: ${messageOf(cause)}.`, { cause })
  }
}

/** The run was told to stop: what had not begun is left as it was. */
export class InterruptedError extends IngestError {
  override readonly name = 'InterruptedError'

  constructor(details?: ErrorDetails) {
    super('interrupted', 'The run was interrupted.', details)
  }
}

/** The message of anything thrown, on one line's worth of text. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  // Node's AggregateError (all addresses of a host refused) has an empty message of its own.
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(messageOf).join('; ')
  }
  // "EACCES: permission denied, open '/a/b'" repeats the path that our own sentence names.
  const [, code, words] = /^(E[A-Z0-9]+): (.*), \w+( '.*')?$/s.exec(thrown.message) ?? []
  if (code !== undefined) return `${words} (${code})`
  return thrown.message === '' ? thrown.name : thrown.message
}

/** The system's or driver's code of anything thrown (`ENOENT`, `ECONNRESET`, `42P01`), looked for in its causes too. */
export function systemCodeOf(thrown: unknown): string | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string') return error.code
    if (error instanceof AggregateError) return systemCodeOf(error.errors[0])
  }
  return undefined
}
