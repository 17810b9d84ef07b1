import type { Flag } from './flag.ts'
import { INGEST_FLAGS } from './flags.ts'
import { LIST_FLAGS } from './list-flags.ts'

const { regions, cameraId, mmc, engineConfig, confidenceThreshold, json, quiet } = INGEST_FLAGS

/** Every flag of `enqueue`: the list, and what travels with each of its lines. */
export const ENQUEUE_FLAGS = {
  ...LIST_FLAGS,
  confidenceThreshold,
  regions,
  cameraId,
  mmc,
  engineConfig,
  meta: {
    flags: '--meta <json>',
    meaning: "a JSON object to be found in the meta of the images' rows",
  },
  json,
  quiet,
} as const satisfies Record<string, Flag>

/** Every flag of `work`: how jobs are taken through, and when it ends. */
export const WORK_FLAGS = {
  concurrency: INGEST_FLAGS.concurrency,
  untilEmpty: {
    flags: '--until-empty',
    meaning: 'end when no line waits and none is at work anywhere; else wait for more',
    default: false,
  },
  delay: {
    flags: '--delay <seconds>',
    meaning:
      'least time between two requests of all workers together; of several the longest wins (0.5 when none says so; queue pace changes it)',
  },
  retries: INGEST_FLAGS.retries,
  lostAnswer: INGEST_FLAGS.lostAnswer,
  fetchTimeout: INGEST_FLAGS.fetchTimeout,
  lookupTimeout: INGEST_FLAGS.lookupTimeout,
  maxImageBytes: INGEST_FLAGS.maxImageBytes,
  maxImagePixels: INGEST_FLAGS.maxImagePixels,
  maxUploadBytes: INGEST_FLAGS.maxUploadBytes,
  publicOnly: INGEST_FLAGS.publicOnly,
  allowHost: INGEST_FLAGS.allowHost,
  local: INGEST_FLAGS.local,
  root: INGEST_FLAGS.root,
  allowInsecureApi: INGEST_FLAGS.allowInsecureApi,
  stopAfter: INGEST_FLAGS.stopAfter,
  grace: INGEST_FLAGS.grace,
  patience: INGEST_FLAGS.patience,
  heartbeat: INGEST_FLAGS.heartbeat,
  maxLookups: INGEST_FLAGS.maxLookups,
  archive: INGEST_FLAGS.archive,
  json,
  quiet,
} as const satisfies Record<string, Flag>

/** What can be done with the queue. */
export const QUEUE_ACTIONS = ['status', 'failed', 'retry-failed', 'clear', 'pace'] as const
export type QueueAction = (typeof QUEUE_ACTIONS)[number]

interface QueueFlag extends Flag {
  /** The actions that take it. */
  of: readonly QueueAction[]
}

/** Every flag of `queue`. */
export const QUEUE_FLAGS = {
  reason: {
    flags: '--reason <code...>',
    meaning: 'only what failed for this reason; repeatable or comma-separated',
    of: ['failed', 'retry-failed'],
  },
  limit: {
    flags: '--limit <n>',
    meaning: 'at most so many; the table has 100 unless told otherwise',
    of: ['failed'],
  },
  csv: {
    flags: '--csv',
    meaning: 'comma-separated values, with a line of names',
    of: ['failed'],
  },
  failed: {
    flags: '--failed',
    meaning: 'clear what failed for good, not what waits',
    default: false,
    of: ['clear'],
  },
  yes: {
    flags: '--yes',
    meaning: 'clear; without it nothing is changed',
    default: false,
    of: ['clear'],
  },
  json: { flags: '--json', meaning: 'one JSON object a line', of: QUEUE_ACTIONS },
} as const satisfies Record<string, QueueFlag>
