import type { Flag } from './flag.ts'

// The flags of the commands that come after a run: what was seen, and what is to go.

/** What `image` can cut out. */
export const CROPS = ['plate', 'vehicle'] as const

/** Every flag of `query`. */
export const QUERY_FLAGS = {
  csv: { flags: '--csv', meaning: 'comma-separated values, with a line of names' },
  json: { flags: '--json', meaning: 'one JSON object a line' },
} as const satisfies Record<string, Flag>

/** Every flag of `plates`. */
export const PLATES_FLAGS = {
  plate: {
    flags: '--plate <text>',
    meaning: 'this plate; any case, * for any characters, ? for one',
  },
  like: {
    flags: '--like <text>',
    meaning: 'what may be this plate: also among the other readings, and with 0 for O, 1 for I',
  },
  make: { flags: '--make <name>', meaning: 'a make among the guesses' },
  model: { flags: '--model <name>', meaning: 'a model among the guesses' },
  color: { flags: '--color <name>', meaning: 'a color among the guesses' },
  region: { flags: '--region <code>', meaning: 'us-ca, or us for all of them' },
  camera: { flags: '--camera <id>', meaning: 'seen by this camera' },
  since: {
    flags: '--since <time>',
    meaning: 'seen then or later: 2026-01-31, 2026-01-31T08:30 or 7d',
  },
  until: { flags: '--until <time>', meaning: 'seen before then; of a day, until its end' },
  minConfidence: { flags: '--min-confidence <0..1>', meaning: 'read at least as surely as this' },
  limit: {
    flags: '--limit <n>',
    meaning: 'at most so many; the table has 100 unless told otherwise',
  },
  ...QUERY_FLAGS,
} as const satisfies Record<string, Flag>

/** Every flag of `image`. */
export const IMAGE_FLAGS = {
  output: { flags: '-o, --output <file>', meaning: 'write to this file, for its owner alone' },
  crop: { flags: `--crop <${CROPS.join('|')}>`, meaning: "cut the plate's or the vehicle's box" },
} as const satisfies Record<string, Flag>

/** Every flag of `url`. */
export const URL_FLAGS = {
  expires: {
    flags: '--expires <span>',
    meaning: 'how long a link lives: seconds, or 12h, 7d at most; S3_URL_EXPIRES unless told',
  },
  refresh: {
    flags: '--refresh <span>',
    meaning: 'renew every stored image_url that has ended or ends within this time, such as 2d',
  },
  json: { flags: '--json', meaning: 'one JSON object a line' },
} as const satisfies Record<string, Flag>

/** Which rows' pictures a report shows first. */
export const PICTURES_BY = ['newest', 'lowest-confidence'] as const

/** Every flag of `report`. */
export const REPORT_FLAGS = {
  output: {
    flags: '-o, --output <file>',
    meaning: 'the file to write; an older one of that name is replaced',
    default: 'report.html',
  },
  pictures: {
    flags: '--pictures <n>',
    meaning: 'how many pictures it holds at most; 0 for none',
    default: 200,
  },
  picturesBy: {
    flags: `--pictures-by <${PICTURES_BY.join('|')}>`,
    meaning: 'which pictures, when there are more',
    default: 'newest',
  },
  confidenceThreshold: {
    flags: '--confidence-threshold <0..1>',
    meaning: 'the threshold to mark; that of the last run unless told',
  },
  since: {
    flags: '--since <time>',
    meaning: 'only what was seen from then on: a day, a time, or so long ago (7d)',
  },
  until: {
    flags: '--until <time>',
    meaning: 'only what was seen before the end of that day, or before that time',
  },
} as const satisfies Record<string, Flag>

/** Every flag of `purge`. */
export const PURGE_FLAGS = {
  olderThan: {
    flags: '--older-than <span>',
    meaning: 'images that were first stored or asked about so long ago: 12h, 90d, 8w, 1y',
  },
  camera: { flags: '--camera <id...>', meaning: 'images of this camera; repeatable' },
  plate: {
    flags: '--plate <text...>',
    meaning: 'images that show this plate, with a row or without; * and ? as wildcards; repeatable',
  },
  yes: { flags: '--yes', meaning: 'purge; without it nothing is changed', default: false },
  tombstone: {
    flags: '--no-tombstone',
    meaning: 'leave nothing: what comes again is stored and bought again',
    default: true,
  },
  json: { flags: '--json', meaning: 'one JSON object' },
} as const satisfies Record<string, Flag>
