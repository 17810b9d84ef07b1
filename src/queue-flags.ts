import type { Flag } from './flags.ts'

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
