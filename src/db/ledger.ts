import { setTimeout as sleep } from 'node:timers/promises'
import { readCaptureTime } from '../capture-time.ts'
import { DatabaseError, IngestError, LookupError, LookupFailure } from '../errors.ts'
import type { FetchedImage } from '../fetch-image.ts'
import type { Answer } from '../look-up-plates.ts'
import type { PlateReading, Snapshot } from '../normalize.ts'
import { NO_OUTAGE, type Outage } from '../outage.ts'
import { storable } from '../storable.ts'
import type { Wanted, WantedImage } from '../wanted.ts'
import { askedOf, createAnswers, type KnownImage, type LostBefore, toKnown } from './answers.ts'
import { createClaims, paidAnswerOf } from './claims.ts'
import type { Database } from './database.ts'
import { FREE, KEEP_BYTES, NOT_ASKING, RELEASE } from './ledger-statements.ts'
import { patient } from './patient.ts'
import type { Run } from './runs.ts'
import { type ClaimedImage, createSettlement, type Safety } from './settlement.ts'
import type { S3Object, StoredImage } from './snapshots.ts'

/**
 * `mine`: this run may look it up, and nobody else does. `lostAnswers` were perhaps billed before, and `isTooLarge` of the
 * last; a `paidAnswer` is at hand, whose rows the database refused, to an image taken when `captured` says. `isNew`: the ledger had never heard of it. `purged`: it
 * must not come back.
 */
export type Claim =
  | ({ kind: 'mine'; paidAnswer: Answer | undefined; isNew: boolean } & LostBefore &
      Pick<WantedImage, 'captured'>)
  | { kind: 'known'; known: KnownImage }
  | { kind: 'purged' }

export interface LedgerOptions {
  /** Ask again what is known, once an image a run. */
  force: boolean
  /** A lookup that failed is no more tried for copies of its image; else it is, as for a job that comes back. */
  isFailureFinal?: boolean
  /** How an absence of the database is borne. */
  outage?: Outage
  safety?: Safety
  /** Runs were found dead: what they could not write is to be had before anything is claimed from them. */
  onDeadRuns?: () => Promise<void>
}

export type Ledger = ReturnType<typeof createLedger>

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_000
/** So many failed lookups are remembered for copies of their images: a long list must not fill the memory. */
const MOST_FAILURES = 1_000

/** The memory of every lookup: what was claimed, asked, answered and lost, and every source seen. */
export function createLedger(
  server: Database,
  run: Run,
  { force, isFailureFinal = true, outage = NO_OUTAGE, safety, onDeadRuns }: LedgerOptions,
) {
  const database = patient(server, outage)
  const together = createClaims(server, { runId: run.id, force })
  const settlement = createSettlement({ database: server, outage, safety, runId: run.id })
  /** Images that this run is at work on; resolves to an error that copies of the image in this run share. */
  const atWork = new Map<string, PromiseWithResolvers<IngestError | undefined>>()
  /** Lookups that failed in this run: --retries and --lost-answer have had their say, for later copies too. */
  const failures = new Map<string, LookupFailure>()

  function finish(sha256: string, error?: IngestError): void {
    const isFinal = isFailureFinal && error instanceof LookupFailure && !error.isAnswered
    if (isFinal) remember(sha256, error)
    atWork.get(sha256)?.resolve(error)
    atWork.delete(sha256)
  }

  function remember(sha256: string, failure: LookupFailure): void {
    failures.set(sha256, failure)
    const [oldest = sha256] = failures.keys()
    if (failures.size > MOST_FAILURES) failures.delete(oldest)
  }

  /**
   * Claims an image for a lookup, or finds it answered or purged. When another run is at work on it, waits for what comes of
   * that; a claim whose run has died is taken over.
   */
  async function claim(
    image: WantedImage,
    object: S3Object | undefined,
    signal: AbortSignal,
  ): Promise<Claim> {
    const { sha256 } = image
    for (let copy = atWork.get(sha256); copy !== undefined; copy = atWork.get(sha256)) {
      const error = await copy.promise
      if (error instanceof LookupFailure) throw ofCopy(image, error)
      if (error !== undefined) throw error
    }
    const failure = failures.get(sha256)
    if (failure !== undefined) throw ofCopy(image, failure)
    atWork.set(sha256, Promise.withResolvers())
    try {
      const claimed = await claimFromOthers(image, object, signal)
      if (claimed.kind !== 'mine') finish(sha256)
      return claimed
    } catch (thrown) {
      finish(sha256)
      throw thrown
    }
  }

  async function claimFromOthers(
    { sha256, source, mime, size, seenAs, wanted, captured }: WantedImage,
    object: S3Object | undefined,
    signal: AbortSignal,
  ): Promise<Claim> {
    const asked = storable(askedOf({ ...wanted, captured }))
    const image = {
      sha256,
      source: storable(source),
      mime,
      size,
      ...object,
      seen_as: seenAs,
      asked,
    }
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const given = { ...image, is_again: waitMs > FIRST_WAIT_MS }
      const entry = await outage.through(() => together.claim(given))
      if (entry?.state === 'mine') {
        return {
          kind: 'mine',
          lostAnswers: entry.uncertain,
          isTooLarge: entry.is_too_large,
          paidAnswer: paidAnswerOf(entry),
          captured: readCaptureTime(entry.captured),
          isNew: entry.is_new,
        }
      }
      if (entry?.state === 'purged') return { kind: 'purged' }
      if (entry?.state === 'known') {
        if (entry.claimed_by !== null) await database.query(FREE, [sha256])
        return { kind: 'known', known: toKnown(entry, wanted.question) }
      }
      const hasDied = await outage.through(run.endDeadRuns)
      if (hasDied && onDeadRuns !== undefined) await outage.through(onDeadRuns)
      await sleep(waitMs, undefined, { signal })
    }
  }

  /** Keeps an image's bytes, in `db` mode, until its rows take them. */
  async function keepBytes(sha256: string, bytes: Uint8Array): Promise<void> {
    await database.query(KEEP_BYTES, [sha256, bytes])
  }

  /**
   * To be called before each request about a claimed image: it may be billed from now on, whatever happens to this process.
   * @throws {DatabaseError} `claim_lost` when another run took the image over, because this one had been silent for long
   */
  async function asking({ sha256, source }: FetchedImage): Promise<void> {
    const mine = await outage.through(() => together.ask({ sha256 }))
    if (mine !== null) return
    throw new DatabaseError('claim_lost', `${source} was taken over by another run.`)
  }

  /** The request failed for certain: no answer of it was lost. */
  async function notAsking({ sha256 }: FetchedImage): Promise<void> {
    await database.query(NOT_ASKING, [sha256, run.id])
  }

  /** Gives a claim back as if it had never been made. */
  async function release(sha256: string): Promise<void> {
    try {
      await database.query(RELEASE, [sha256, run.id])
    } finally {
      // A copy must not wait for ever because the database has gone away.
      finish(sha256)
    }
  }

  /** As `createSettlement` says; copies of the image in this run share the failure. */
  async function fail(image: ClaimedImage, error: Error, answer?: Answer): Promise<void> {
    try {
      await settlement.fail(image, error, answer)
    } finally {
      finish(image.sha256, error instanceof IngestError ? error : undefined)
    }
  }

  /** As `createSettlement` says. */
  async function settle(
    image: StoredImage & { wanted: Wanted },
    answer: Answer,
    snapshot: Snapshot,
    kept: readonly PlateReading[],
  ): Promise<void> {
    await settlement.settle(image, answer, snapshot, kept)
    finish(image.sha256)
  }

  const { amend } = createAnswers(database)
  return { claim, keepBytes, asking, notAsking, release, fail, settle, amend }
}

/** The failure of an image as a copy of it shares it. Nothing was sent for the copy: requests are counted once. */
function ofCopy({ source }: FetchedImage, error: LookupFailure): LookupFailure {
  const { code, hint, cause, message } = error
  const copied = new LookupError(code, `${source} is a copy of an image that failed: ${message}`, {
    ...error,
    hint,
    cause,
  })
  return new LookupFailure(copied, { attempts: 0, uncertain: 0 })
}
