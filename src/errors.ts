/**
 * Every way this tool can fail, by its stable code: whether it concerns one image or the whole run, and what to do.
 * A code is a promise to scripts that read `--json`: it is never renamed.
 */
export const ADVICE = {
  // the images file's line
  bad_url: { hint: 'Correct the address in the images file.' },
  unsupported_url: { hint: 'Use a path or an http(s) URL; download anything else first.' },
  // a local file
  file_not_found: {
    hint: 'Correct the path; a relative one starts at the working directory of the run.',
  },
  not_a_file: { hint: 'Name the image file itself, not a folder or a device.' },
  file_unreadable: { hint: 'Give the user who runs plate-snapshot the right to read the file.' },
  // a URL
  http_not_found: { hint: 'The image is gone from its server; remove the line or correct it.' },
  http_forbidden: { hint: 'The link needs other credentials or has expired; get a fresh one.' },
  http_error: { hint: 'The server of the image failed; run the same list again later.' },
  too_many_redirects: { hint: 'Use the address at which the image really is.' },
  bad_redirect: { hint: 'Use the address at which the image really is.' },
  fetch_unreachable: {
    hint: 'Check the address and the network, then run the same list again.',
  },
  fetch_timeout: { hint: 'Run the same list again, or give it longer with --fetch-timeout.' },
  short_body: { hint: 'The transfer broke off; run the same list again.' },
  // the bytes
  empty_image: { hint: 'The image holds no bytes; save it anew where it comes from.' },
  not_an_image: { hint: 'Only JPEG, PNG, WebP, GIF, BMP and TIFF images are looked up.' },
  too_large: { hint: 'Shrink the image, or raise --max-image-bytes.' },
  // the lookup of one image
  api_rejected: { hint: 'The API does not accept this image or these parameters.' },
  api_too_large: { hint: 'The cloud takes images below 3 MB: shrink this one.' },
  api_unsupported: { hint: 'Save the image as JPEG or PNG.' },
  api_error: { hint: 'The API failed; run the same list again later.' },
  api_unreachable: { hint: 'Check SNAPSHOT_API_URL and the network, then run the list again.' },
  answer_lost: {
    hint: 'The lookup may have been billed. Run the list again to ask once more.',
  },
  // what stops a run
  api_refused: { scope: 'run', hint: 'Check PLATE_API_KEY and the credits of the account.' },
  api_down: { scope: 'run', hint: 'Run the same list again when the API answers.' },
  max_lookups: {
    scope: 'run',
    hint: 'Run the same list again to go on; what is known costs nothing.',
  },
  storage_failed: {
    hint: 'The image was not stored, so it was not looked up; run the list again.',
  },
  storage_down: { scope: 'run', hint: 'Check AWS_ENDPOINT_URL and the network, then run again.' },
  storage_refused: {
    scope: 'run',
    hint: 'Check S3_BUCKET, the AWS credentials and their rights (README, "Storage").',
  },
  database_failed: { hint: 'The database refused this image; its message says why.' },
  database_down: { scope: 'run', hint: 'Check DATABASE_URL and the server, then run again.' },
  schema_missing: {
    scope: 'run',
    hint: 'Run: plate-snapshot migrate (npx plate-snapshot migrate in a checkout).',
  },
  schema_old: {
    scope: 'run',
    hint: 'Run: plate-snapshot migrate (npx plate-snapshot migrate in a checkout).',
  },
  schema_new: { scope: 'run', hint: 'Update plate-snapshot on this machine.' },
  folder_locked: {
    scope: 'run',
    hint: 'Wait for it to end, or use a server database (DATABASE_URL=postgresql://…), which many processes can share.',
  },
  folder_unusable: { scope: 'run', hint: 'Name another folder: DATABASE_URL=pglite:<folder>' },
  config: { scope: 'run', hint: 'Correct these, then run again: nothing was fetched or billed.' },
  interrupted: { scope: 'run', hint: 'Run the same list again: the rest is untouched.' },
  internal: {
    scope: 'run',
    hint: 'This is a bug of plate-snapshot: please report it with the lines above.',
  },
} as const satisfies Record<string, { scope?: 'run'; hint: string }>

/** The stable name of a failure, as `error.code` in the machine-readable output gives it. */
export type ErrorCode = keyof typeof ADVICE

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
    const advice: { scope?: 'run'; hint: string } = ADVICE[code]
    this.code = code
    this.scope = advice.scope ?? 'image'
    this.hint = hint ?? advice.hint
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
    this.throttledForMs = facts.throttledForMs
    this.status = facts.status
    this.body = facts.body
  }
}

/** A lookup that failed for good, with the requests it took. */
export class LookupFailure extends LookupError {
  readonly attempts: number
  readonly uncertain: number

  constructor(error: LookupError, attempts: number, uncertain: number) {
    const { code, message, hint, cause } = error
    super(code, message, { ...error, hint, cause })
    this.attempts = attempts
    this.uncertain = uncertain
  }
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

/** The run was told to stop: what had not begun is left as it was. */
export class InterruptedError extends IngestError {
  override readonly name = 'InterruptedError'

  constructor(options?: ErrorOptions) {
    super('interrupted', 'The run was interrupted.', options)
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
