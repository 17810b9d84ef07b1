import { setTimeout as sleep } from 'node:timers/promises'
import { IngestError, LookupError, LookupFailure } from '../errors.ts'
import type { FetchedImage } from '../fetch-image.ts'
import type { Answer } from '../look-up-plates.ts'
import type { Question } from '../lookup.ts'
import type { PlateReading, Snapshot } from '../normalize.ts'
import { readResponse, storable } from '../response.ts'
import { type AnsweredEntry, askedOf, createAnswers, type KnownImage, toKnown } from './answers.ts'
import type { Database } from './database.ts'
import { ANSWER, CLAIM, FAIL, KEEP_BYTES, PLACES, RELEASE } from './ledger-statements.ts'
import type { Run } from './runs.ts'
import { type S3Object, type StoredImage, writeRows } from './snapshots.ts'

/**
 * `mine`: this run may look it up, and nobody else does. `lostAnswers` were perhaps billed before; a `paidAnswer` is at
 * hand, whose rows the database refused.
 */
export type Claim =
  | { kind: 'mine'; lostAnswers: number; paidAnswer: Answer | undefined }
  | { kind: 'known'; known: KnownImage }

export interface LedgerOptions {
  question: Question
  /** Ask again what is known, once an image a run. */
  force: boolean
}

export type Ledger = ReturnType<typeof createLedger>

type ClaimedEntry =
  | { state: 'mine'; uncertain: number; unsettled: unknown }
  | ({ state: 'known' | 'busy' } & AnsweredEntry)

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_000

/** The memory of every lookup: what was claimed, asked, answered and lost, and every source seen. */
export function createLedger(database: Database, run: Run, { question, force }: LedgerOptions) {
  const asked = JSON.stringify(askedOf(question))
  const deadAfterS = run.heartbeat.deadAfterMs / 1_000
  /** Images that this run is at work on; resolves to an error that copies of the image in this run share. */
  const atWork = new Map<string, PromiseWithResolvers<IngestError | undefined>>()

  /** An answer that was paid for earlier was to the question of then, which the ledger has. */
  const askedNow = ({ attempts }: Answer) => (attempts === 0 ? undefined : asked)

  function finish(sha256: string, error?: IngestError): void {
    atWork.get(sha256)?.resolve(error)
    atWork.delete(sha256)
  }

  /**
   * Claims an image for a lookup, or finds it answered. When another run is at work on it, waits for what comes of
   * that; a claim whose run has died is taken over.
   */
  async function claim(
    image: FetchedImage,
    object: S3Object | undefined,
    signal: AbortSignal,
  ): Promise<Claim> {
    const { sha256 } = image
    for (let copy = atWork.get(sha256); copy !== undefined; copy = atWork.get(sha256)) {
      const error = await copy.promise
      if (error instanceof LookupFailure) throw ofCopy(image, error)
      if (error !== undefined) throw error
    }
    atWork.set(sha256, Promise.withResolvers())
    try {
      const claimed = await claimFromOthers(image, object, signal)
      if (claimed.kind === 'known') finish(sha256)
      return claimed
    } catch (thrown) {
      finish(sha256)
      throw thrown
    }
  }

  async function claimFromOthers(
    { sha256, source, mime, size }: FetchedImage,
    object: S3Object | undefined,
    signal: AbortSignal,
  ): Promise<Claim> {
    const asking = [asked, run.id, force, deadAfterS]
    const values = [sha256, source, mime, size, ...asking, object?.bucket, object?.key]
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const [entry] = await database.query<ClaimedEntry>(CLAIM, values)
      if (entry?.state === 'mine') {
        return {
          kind: 'mine',
          lostAnswers: entry.uncertain,
          paidAnswer: paidAnswerOf(entry.unsettled),
        }
      }
      if (entry?.state === 'known') return { kind: 'known', known: toKnown(entry, question) }
      await run.endDeadRuns()
      await sleep(waitMs, undefined, { signal })
    }
  }

  /** Keeps an image's bytes, in `db` mode, until its rows take them. */
  async function keepBytes(sha256: string, bytes: Uint8Array): Promise<void> {
    await database.query(KEEP_BYTES, [sha256, bytes])
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

  /**
   * Notes why an image failed and gives its claim back; the next run tries it again.
   * @param answer one that was paid for, and that could not be settled
   */
  async function fail(sha256: string, error: Error, answer?: Answer): Promise<void> {
    const none = { attempts: 0, uncertain: 0 }
    const { attempts, uncertain } = answer ?? (error instanceof LookupFailure ? error : none)
    const code = error instanceof IngestError ? error.code : 'internal'
    const { message } = error
    const body = error instanceof LookupError ? error.body : undefined
    const noted = JSON.stringify(storable({ code, message, body }))
    const kept = answer === undefined ? [] : [JSON.stringify(answer.response.raw), askedNow(answer)]
    const [unsettled, askedThen] = kept
    const counts = [attempts, uncertain]
    try {
      await database.query(FAIL, [sha256, run.id, noted, ...counts, unsettled, askedThen])
    } finally {
      finish(sha256, error instanceof IngestError ? error : undefined)
    }
  }

  /** An answer and its rows, in one transaction: both appear or neither. Surplus rows of an older answer go. */
  async function settle(
    stored: StoredImage,
    answer: Answer,
    snapshot: Snapshot,
    kept: readonly PlateReading[],
  ): Promise<void> {
    const image = { ...stored, cameraId: question.cameraId }
    const { sha256 } = image
    const { attempts, uncertain } = answer
    const { bucket, key } = image.object ?? {}
    const raw = JSON.stringify(answer.response.raw)
    await database.transaction(async (queryable) => {
      await queryable.query(ANSWER, [
        sha256,
        run.id,
        askedNow(answer),
        raw,
        attempts,
        uncertain,
        bucket,
        key,
      ])
      const present = await queryable.query<{ place: number }>(PLACES, [sha256])
      const keptPlaces = new Set(kept.map(({ index }) => index))
      const removed = present.map(({ place }) => place).filter((place) => !keptPlaces.has(place))
      await writeRows(queryable, { image, snapshot, kept, isNewAnswer: true, removed })
    })
    finish(sha256)
  }

  return { claim, keepBytes, release, fail, settle, amend: createAnswers(database, question).amend }
}

function paidAnswerOf(unsettled: unknown): Answer | undefined {
  const response = unsettled === null ? undefined : readResponse(unsettled)
  return response && { response, attempts: 0, uncertain: 0 }
}

/** The failure of an image as a copy of it shares it. Nothing was sent for the copy: requests are counted once. */
function ofCopy({ source }: FetchedImage, error: LookupFailure): LookupFailure {
  const { code, hint, cause, message } = error
  const copied = new LookupError(code, `${source} is a copy of an image that failed: ${message}`, {
    ...error,
    hint,
    cause,
  })
  return new LookupFailure(copied, 0, 0)
}
