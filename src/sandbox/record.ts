/** One POST to the recognise endpoint, recorded when its headers arrive and filled in after. */
export interface SandboxLookup {
  /** From 0, in order of arrival. */
  readonly index: number
  /** Of the image's bytes; empty until they are read, and when none could be. */
  readonly sha256: string
  /** Of the image, not of the request's body. */
  readonly bytes: number
  /** Text fields as sent, without `upload`. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  readonly authorization: string | undefined
  readonly filename: string | undefined
  /** The how manyth POST of these bytes this is, from 1; 0 while `sha256` is empty. */
  readonly attempt: number
  /** `performance.now()` when the headers arrived. */
  readonly atMs: number
  /** Of a complete answer; `undefined` when none was given, or not yet. */
  readonly status: number | undefined
  readonly billed: boolean
}

/** A lookup still under way. */
export type OpenLookup = { -readonly [Key in keyof SandboxLookup]: SandboxLookup[Key] }

/** Everything the sandbox remembers, as one object: `reset` swaps it for an empty one. */
export interface SandboxRecord {
  readonly lookups: OpenLookup[]
  readonly attempts: Map<string, number>
  readonly billedBySha256: Map<string, number>
  billedCalls: number
  statisticsRequests: number
}

/** A record of nothing. */
export function emptyRecord(): SandboxRecord {
  return {
    lookups: [],
    attempts: new Map(),
    billedBySha256: new Map(),
    billedCalls: 0,
    statisticsRequests: 0,
  }
}

/** Notes a POST as soon as its headers are there, so that one which is never answered shows too. */
export function noteArrival(record: SandboxRecord, authorization: string | undefined): OpenLookup {
  const lookup: OpenLookup = {
    index: record.lookups.length,
    sha256: '',
    bytes: 0,
    fields: {},
    authorization,
    filename: undefined,
    attempt: 0,
    atMs: performance.now(),
    status: undefined,
    billed: false,
  }
  record.lookups.push(lookup)
  return lookup
}

/** Notes which image a POST is about. */
export function noteImage(
  record: SandboxRecord,
  lookup: OpenLookup,
  { sha256, bytes }: { sha256: string; bytes: number },
): void {
  lookup.sha256 = sha256
  lookup.bytes = bytes
  lookup.attempt = (record.attempts.get(sha256) ?? 0) + 1
  record.attempts.set(sha256, lookup.attempt)
}

/** Notes that a POST cost a lookup, whether or not its answer will arrive. */
export function noteBill(record: SandboxRecord, lookup: OpenLookup): void {
  lookup.billed = true
  record.billedCalls += 1
  record.billedBySha256.set(lookup.sha256, (record.billedBySha256.get(lookup.sha256) ?? 0) + 1)
}
