import { DatabaseError } from '../errors.ts'
import { meets } from '../filter.ts'
import { normalize } from '../normalize.ts'
import { NO_OUTAGE } from '../outage.ts'
import { readResponse } from '../response.ts'
import { dismissSpoolFile, readSpool, type SpooledAnswer } from '../spool.ts'
import type { ImageStore } from '../storage/image-store.ts'
import type { Database } from './database.ts'
import { ENSURE, MAY_BE_ALIVE, TAKE_BACK } from './ledger-statements.ts'
import { createSettlement } from './settlement.ts'

/** What came of the files that earlier runs left. */
export interface ReadIn {
  /** Answers that the database has now. */
  answers: number
  /** Where what could not be used was put. */
  aside: string[]
}

const DATABASE_ID = 'SELECT database_id AS id FROM plate_snapshot_schema'

/** What a database is called in the names of spool files: the same under any host name, and after a move. */
export async function databaseIdOf(database: Database): Promise<string> {
  const [row] = await database.query<{ id: string }>(DATABASE_ID)
  return row?.id ?? ''
}

/** $1 runs. Those of them that may still be at work: they write their answers themselves. */
const LIVING = `SELECT r.id FROM ingest_runs r WHERE r.id = ANY ($1::uuid[]) AND ${MAY_BE_ALIVE}`

/**
 * Reads in the answers that earlier runs on this database paid for and could not write. It does no harm when two runs
 * do so at once.
 * @throws {SpoolError} when they cannot be read: they would be bought again
 */
export async function readInSpool(
  database: Database,
  images: Pick<ImageStore, 'urlFor'>,
  { folder, databaseId }: { folder: string; databaseId: string },
): Promise<ReadIn> {
  const done: ReadIn = { answers: 0, aside: [] }
  const files = await readSpool(folder, databaseId)
  if (files.length === 0) return done
  const living = await database.query<{ id: string }>(LIVING, [
    `{${files.map(({ run }) => run).join(',')}}`,
  ])
  const isLiving = new Set(living.map(({ id }) => id))
  for (const { path, run, answers, unreadable } of files) {
    if (isLiving.has(run)) continue
    let unused = unreadable
    for (const answer of answers) {
      const end = await settleSpooled(database, images, answer)
      if (end === 'settled') done.answers += 1
      if (end === 'unreadable') unused += 1
    }
    const aside = await dismissSpoolFile(path, unused === 0)
    if (aside !== undefined) done.aside.push(aside)
  }
  return done
}

/** An answer whose rows are refused is kept in the ledger, as any other such; that of a purged image is thrown away. */
async function settleSpooled(
  database: Database,
  images: Pick<ImageStore, 'urlFor'>,
  spooled: SpooledAnswer,
): Promise<'settled' | 'purged' | 'unreadable'> {
  const response = readResponse(spooled.raw, spooled.mended)
  if (response === undefined) return 'unreadable'
  const { sha256, source, mime, size, object, attempts, uncertain } = spooled
  const { question, threshold, meta, captured } = spooled
  const wanted = { question, threshold, meta }
  await database.query(ENSURE, [sha256, source, mime, size, object?.bucket, object?.key])
  if ((await database.query(TAKE_BACK, [`{${sha256}}`])).length > 0) return 'purged'
  const snapshot = normalize(response)
  const kept = snapshot.readings.filter(meets(threshold))
  const url = await images.urlFor(object, source)
  const image = { sha256, source, mime, size, object, url, wanted, captured }
  const answer = { response, attempts, uncertain }
  const { settle, keep } = createSettlement({ database, outage: NO_OUTAGE, runId: spooled.run })
  try {
    await settle(image, answer, snapshot, kept, spooled.answeredAt)
  } catch (thrown) {
    if (!(thrown instanceof DatabaseError) || thrown.scope === 'run') throw thrown
    await keep(image, answer)
  }
  return 'settled'
}
