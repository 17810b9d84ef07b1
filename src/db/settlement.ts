import { inBatches } from '../batches.ts'
import { IngestError, LookupError, LookupFailure } from '../errors.ts'
import type { Answer } from '../look-up-plates.ts'
import type { PlateReading, Snapshot } from '../normalize.ts'
import type { Outage } from '../outage.ts'
import type { Spool, SpooledAnswer } from '../spool.ts'
import { storable } from '../storable.ts'
import type { Wanted } from '../wanted.ts'
import { askedOf } from './answers.ts'
import type { Database } from './database.ts'
import { FAIL, KEEP_ANSWER, SURPLUS } from './ledger-statements.ts'
import { requireRoom } from './room.ts'
import { type S3Object, type StoredImage, toRows, writing } from './snapshots.ts'

/** Answers of one statement: some of them may be long. */
const MOST_ANSWERS = 32

/**
 * $2 the run. Nothing is written where the claim was lost and another run's answer is there that is not older
 * (`answered_at`; null: now).
 */
const ANSWER = writing({
  columns: `asked jsonb, response jsonb, attempts int, uncertain int, bucket text, key text, answered_at timestamptz,
    kept int[]`,
  where: 'l.claimed_by = $2::uuid OR l.response IS NULL OR l.answered_at < g.answered_at',
  set: `asked = coalesce(g.asked, l.asked), response = g.response, unsettled = NULL, error = NULL,
    answered_at = coalesce(g.answered_at, now()), answered_by = $2::uuid, stored_at = coalesce(l.stored_at, now()),
    s3_bucket = coalesce(g.bucket, l.s3_bucket), s3_key = coalesce(g.key, l.s3_key),
    attempts = l.attempts + g.attempts, uncertain = l.uncertain + g.uncertain,
    claimed_by = NULL, claimed_at = NULL, asking_since = NULL,`,
  gone: 'v.result_index <> ALL (g.kept)',
})

/** An image that this run has claimed. */
export type ClaimedImage = Omit<StoredImage, 'url' | 'object'> & {
  object?: S3Object | undefined
  wanted: Wanted
}

type AskedImage = Pick<ClaimedImage, 'wanted' | 'captured'>

/** Where paid answers go while the database is away. */
export interface Safety {
  spool: Spool
  /** An answer could not be brought to safety either; it is still in memory. */
  onTrouble: (error: unknown, image: ClaimedImage) => void
}

export interface SettlementOptions {
  database: Database
  outage: Outage
  /** The run that asked. */
  runId: string
  safety?: Safety | undefined
}

/** How an image's claim ends: with an answer and its rows, or with a reason. */
export function createSettlement({ database, outage, runId, safety }: SettlementOptions) {
  /** An answer that was paid for earlier was to the question of then, which the ledger has. */
  const askedNow = ({ attempts, response }: Answer, { wanted, captured }: AskedImage) =>
    attempts === 0 ? undefined : storable(askedOf({ ...wanted, captured }, response.mended))
  const askedText = (answer: Answer, image: AskedImage) => JSON.stringify(askedNow(answer, image))

  /** Writes answers with their rows. @returns of each, whether it was written */
  const write = inBatches(async (images: readonly { sha256: string }[]) => {
    const rows = await database.query<{ sha256: string }>(ANSWER, [JSON.stringify(images), runId])
    const written = new Set(rows.map(({ sha256 }) => sha256))
    return images.map(({ sha256 }) => written.has(sha256))
  }, MOST_ANSWERS)

  function toSpooled(image: ClaimedImage, answer: Answer): SpooledAnswer {
    const { sha256, source, mime, size, object, wanted, captured } = image
    const { attempts, uncertain, response } = answer
    const { threshold, meta } = wanted
    const { regions, mmc, cameraId, engineConfig } = wanted.question
    return {
      ...{ run: runId, sha256, source, mime, size, object },
      question: {
        regions: [...regions],
        mmc,
        cameraId,
        engineConfig: engineConfig && { ...engineConfig },
      },
      ...{ threshold, meta: meta && { ...meta }, captured, attempts, uncertain },
      ...{ raw: response.raw, mended: [...response.mended] },
      answeredAt: new Date().toISOString(),
    }
  }

  /** Brings an answer that was paid for to the disk. */
  async function bringToSafety(image: ClaimedImage, answer: Answer | undefined): Promise<void> {
    if (safety === undefined || answer === undefined) return
    const { spool, onTrouble } = safety
    await spool.keep(toSpooled(image, answer)).catch((error) => onTrouble(error, image))
  }

  /** Waits an outage out; the answer is on the disk before the first wait, and until the database has it. */
  async function safely(
    image: ClaimedImage,
    answer: Answer | undefined,
    work: () => Promise<void>,
  ): Promise<void> {
    await outage.through(work, () => bringToSafety(image, answer))
    await safety?.spool.settled(image.sha256).catch((error) => safety.onTrouble(error, image))
  }

  /**
   * An answer and its rows: both appear or neither. Surplus rows of an older answer go. Where the claim was lost and
   * another's answer is there, that one stays.
   * @param answeredAt when the answer came, if not now
   * @throws {DatabaseError} `answer_unusable` for rows that the database could not take
   */
  async function settle(
    stored: StoredImage & { wanted: Wanted },
    answer: Answer,
    snapshot: Snapshot,
    kept: readonly PlateReading[],
    answeredAt?: string,
  ): Promise<void> {
    const { sha256, object, wanted } = stored
    const { cameraId } = wanted.question
    const { attempts, uncertain, response } = answer
    requireRoom(stored, response.raw, kept)
    const given = {
      ...{ sha256, attempts, uncertain, ...object, answered_at: answeredAt },
      ...{ asked: askedNow(answer, stored), response: response.raw },
      kept: kept.map(({ index }) => index),
      readings: toRows({ ...stored, cameraId, meta: wanted.meta }, snapshot, kept),
    }
    await safely(stored, answer, async () => {
      const isWritten = await write(given)
      if (!isWritten) await database.query(SURPLUS, [sha256, runId, attempts, uncertain])
    })
  }

  /**
   * Notes why an image failed and gives its claim back; the next run tries it again.
   * @param answer one that was paid for, and that could not be settled
   */
  async function fail(image: ClaimedImage, error: Error, answer?: Answer): Promise<void> {
    const none = { attempts: 0, uncertain: 0 }
    const { attempts, uncertain } = answer ?? (error instanceof LookupFailure ? error : none)
    const code = error instanceof IngestError ? error.code : 'internal'
    const { message } = error
    const body = error instanceof LookupError ? error.body : undefined
    const noted = JSON.stringify(storable({ code, message, body }))
    const kept =
      answer === undefined ? [] : [JSON.stringify(answer.response.raw), askedText(answer, image)]
    const [unsettled, askedThen] = kept
    const values = [image.sha256, runId, noted, attempts, uncertain, unsettled, askedThen]
    try {
      await safely(image, answer, async () => {
        const mine = await database.query(FAIL, values)
        if (mine.length === 0) await keep(image, answer)
      })
    } catch (thrown) {
      await bringToSafety(image, answer)
      throw thrown
    }
  }

  /** Keeps a paid answer whose claim was lost, or that nobody claims, for whoever comes to the image next. */
  async function keep(image: ClaimedImage, answer: Answer | undefined): Promise<void> {
    if (answer === undefined) return
    const { attempts, uncertain, response } = answer
    const raw = JSON.stringify(response.raw)
    await database.query(KEEP_ANSWER, [
      ...[image.sha256, raw, askedText(answer, image)],
      ...[attempts, uncertain],
    ])
  }

  return { settle, fail, keep }
}
