import { IngestError, LookupError, LookupFailure } from '../errors.ts'
import type { Answer } from '../look-up-plates.ts'
import type { Question } from '../lookup.ts'
import type { PlateReading, Snapshot } from '../normalize.ts'
import type { Outage } from '../outage.ts'
import { storable } from '../response.ts'
import type { Spool, SpooledAnswer } from '../spool.ts'
import { askedOf } from './answers.ts'
import type { Database } from './database.ts'
import { ANSWER, FAIL, KEEP_ANSWER, PLACES, SURPLUS } from './ledger-statements.ts'
import { type S3Object, type StoredImage, writeRows } from './snapshots.ts'

/** An image that this run has claimed. */
export type ClaimedImage = Omit<StoredImage, 'url' | 'object'> & { object?: S3Object | undefined }

/** Where paid answers go while the database is away. */
export interface Safety {
  spool: Spool
  /** Of this run, for the rows that are made of a spooled answer. */
  threshold: number
  /** An answer could not be brought to safety either; it is still in memory. */
  onTrouble: (error: unknown, image: ClaimedImage) => void
}

export interface SettlementOptions {
  database: Database
  outage: Outage
  /** The run that asked. */
  runId: string
  question: Question
  safety?: Safety | undefined
}

/** How an image's claim ends: with an answer and its rows, or with a reason. */
export function createSettlement({ database, outage, runId, question, safety }: SettlementOptions) {
  const asked = JSON.stringify(askedOf(question))

  /** An answer that was paid for earlier was to the question of then, which the ledger has. */
  const askedNow = ({ attempts }: Answer) => (attempts === 0 ? undefined : asked)

  function toSpooled(image: ClaimedImage, answer: Answer, threshold: number): SpooledAnswer {
    const { sha256, source, mime, size, object } = image
    const { attempts, uncertain, response } = answer
    const { regions, mmc, cameraId, engineConfig } = question
    return {
      ...{ run: runId, sha256, source, mime, size, object },
      question: {
        regions: [...regions],
        mmc,
        cameraId,
        engineConfig: engineConfig && { ...engineConfig },
      },
      ...{ threshold, raw: response.raw, attempts, uncertain },
      answeredAt: new Date().toISOString(),
    }
  }

  /** Brings an answer that was paid for to the disk. */
  async function bringToSafety(image: ClaimedImage, answer: Answer | undefined): Promise<void> {
    if (safety === undefined || answer === undefined) return
    const { spool, threshold, onTrouble } = safety
    await spool.keep(toSpooled(image, answer, threshold)).catch((error) => onTrouble(error, image))
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
   * An answer and its rows, in one transaction: both appear or neither. Surplus rows of an older answer go. Where the
   * claim was lost and another's answer is there, that one stays.
   * @param answeredAt when the answer came, if not now
   */
  function settle(
    stored: StoredImage,
    answer: Answer,
    snapshot: Snapshot,
    kept: readonly PlateReading[],
    answeredAt?: string,
  ): Promise<void> {
    const image = { ...stored, cameraId: question.cameraId }
    const { sha256, object } = image
    const counts = [answer.attempts, answer.uncertain]
    const raw = JSON.stringify(answer.response.raw)
    const place = [object?.bucket, object?.key]
    const values = [sha256, runId, askedNow(answer), raw, ...counts, ...place, answeredAt]
    return safely(stored, answer, () =>
      database.transaction(async (queryable) => {
        const answered = await queryable.query(ANSWER, values)
        if (answered.length === 0) {
          await queryable.query(SURPLUS, [sha256, runId, ...counts])
          return
        }
        const present = await queryable.query<{ place: number }>(PLACES, [sha256])
        const keptPlaces = new Set(kept.map(({ index }) => index))
        const removed = present.map(({ place }) => place).filter((place) => !keptPlaces.has(place))
        await writeRows(queryable, { image, snapshot, kept, isNewAnswer: true, removed })
      }),
    )
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
    const kept = answer === undefined ? [] : [JSON.stringify(answer.response.raw), askedNow(answer)]
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
  async function keep({ sha256 }: ClaimedImage, answer: Answer | undefined): Promise<void> {
    if (answer === undefined) return
    const { attempts, uncertain, response } = answer
    const raw = JSON.stringify(response.raw)
    await database.query(KEEP_ANSWER, [sha256, raw, askedNow(answer), attempts, uncertain])
  }

  return { settle, fail, keep }
}
