import type { Database } from '../../src/db/database.ts'
import { createLedger, type Ledger } from '../../src/db/ledger.ts'
import { beginRun, type Heartbeat, type Run } from '../../src/db/runs.ts'
import type { S3Object } from '../../src/db/snapshots.ts'
import { meets } from '../../src/filter.ts'
import { normalize, type PlateReading, type Snapshot } from '../../src/normalize.ts'
import { type LookupResponse, readResponse } from '../../src/response.ts'
import type { WantedImage } from '../../src/wanted.ts'
import { fetchedImage } from './drawn-images.ts'

export interface LedgerSettings {
  force?: boolean
  heartbeat?: Heartbeat
}

/** A run of its own with its ledger, as one process has it. */
export async function openLedger(
  database: Database,
  { force = false, heartbeat }: LedgerSettings = {},
): Promise<{ run: Run; ledger: Ledger }> {
  const account = 'account'
  const run = await beginRun(database, { account, delayMs: 0, ...(heartbeat && { heartbeat }) })
  return { run, ledger: createLedger(database, run, { force }) }
}

/** An answer of the cloud with these results. */
export function responseWith(results: readonly unknown[], changes: object = {}): LookupResponse {
  const envelope = { filename: 'f.jpg', timestamp: '2026-01-02T03:04:05.123456Z', camera_id: null }
  const response = readResponse({ ...envelope, ...changes, results })
  if (response === undefined) throw new Error('it has results')
  return response
}

/** An answer with these plates, as sure of each as 0.9, 0.8 and so on. */
export function plates(...texts: string[]): LookupResponse {
  const box = { xmin: 1, ymin: 2, xmax: 3, ymax: 4 }
  const results = texts.map((plate, n) => ({ plate, score: (9 - n) / 10, dscore: 0.99, box }))
  return responseWith(results)
}

export interface AnswerSettings {
  image?: WantedImage
  /** Has this run claimed the image already? */
  isClaimed?: boolean
  threshold?: number
  object?: S3Object
  url?: string
}

/** Claims an image and settles it with an answer, as `ingestImage` does. */
export async function answerOf(
  ledger: Ledger,
  response: LookupResponse,
  {
    image = fetchedImage(),
    isClaimed = false,
    threshold = 0,
    object,
    url = image.source,
  }: AnswerSettings = {},
): Promise<{ image: WantedImage; snapshot: Snapshot; readings: readonly PlateReading[] }> {
  const snapshot = normalize(response)
  if (!isClaimed) await ledger.claim(image, object, new AbortController().signal)
  const kept = snapshot.readings.filter(meets(threshold))
  const answer = { response, attempts: 1, uncertain: 0 }
  await ledger.settle({ ...image, url, object }, answer, snapshot, kept)
  return { image, snapshot, readings: snapshot.readings }
}
