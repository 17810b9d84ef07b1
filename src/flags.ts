/** A flag as the command line, its `--help` and the README's table show it; `default` is what the schema uses. */
export interface Flag {
  flags: string
  meaning: string
  default?: number | string | boolean
}

/** What to do when an answer was lost and may have been billed: ask once more, keep to the retries, or never again. */
export const LOST_ANSWER = ['once', 'retry', 'fail'] as const

/** What `image` can cut out. */
export const CROPS = ['plate', 'vehicle'] as const

/**
 * Every flag of `ingest`, in the order of the README's table; times in seconds, sizes in bytes. `--help` needs no more
 * than this: what a flag accepts is in options.ts, which loads zod.
 */
export const INGEST_FLAGS = {
  images: {
    flags: '--images <file>',
    meaning: 'the images file, one path or URL a line, or - for standard input',
  },
  delay: {
    flags: '--delay <seconds>',
    meaning: 'least time between two requests to the API, from start to start',
    default: 0.5,
  },
  confidenceThreshold: {
    flags: '--confidence-threshold <0..1>',
    meaning: 'a plate whose reading score is below it gets no row',
    default: 0,
  },
  concurrency: { flags: '--concurrency <n>', meaning: 'images in flight at once', default: 8 },
  regions: {
    flags: '--regions <code...>',
    meaning: 'region hints sent with the lookup; repeatable or comma-separated',
  },
  cameraId: { flags: '--camera-id <id>', meaning: 'sent with every lookup and stored' },
  mmc: {
    flags: '--mmc',
    meaning: 'ask for make, model, color and orientation (a paid add-on of the API)',
    default: false,
  },
  engineConfig: {
    flags: '--engine-config <json>',
    meaning: "the API's engine configuration, sent as config",
  },
  retries: {
    flags: '--retries <n>',
    meaning: 'further attempts after a failed one; a 429 uses none of them',
    default: 5,
  },
  lostAnswer: {
    flags: `--lost-answer <${LOST_ANSWER.join('|')}>`,
    meaning:
      'when an answer was lost and may have been billed: ask once more, keep to --retries, or never again',
    default: 'once',
  },
  fetchTimeout: {
    flags: '--fetch-timeout <s>',
    meaning: 'longest time for fetching an image, body included',
    default: 30,
  },
  lookupTimeout: {
    flags: '--lookup-timeout <s>',
    meaning: 'longest time for one request to the API, answer included',
    default: 60,
  },
  maxImageBytes: {
    flags: '--max-image-bytes <n>',
    meaning: 'a larger image fails and is not looked up',
    default: 20_000_000,
  },
  stopAfter: {
    flags: '--stop-after <n>',
    meaning: 'consecutive images failed for want of the API before the run stops',
    default: 10,
  },
  grace: {
    flags: '--grace <s>',
    meaning: 'how long an interrupted run waits for lookups in flight',
    default: 30,
  },
  patience: {
    flags: '--patience <s>',
    meaning: 'how long a database or image store that is away is waited for',
    default: 60,
  },
  heartbeat: {
    flags: '--heartbeat <s>',
    meaning: 'how often a run shows that it is alive; its claims are free after six times that',
    default: 5,
  },
  maxLookups: {
    flags: '--max-lookups <n>',
    meaning: 'a budget: never send more requests than this that may be billed',
  },
  force: { flags: '--force', meaning: 'look up again what is already known', default: false },
  reread: {
    flags: '--reread',
    meaning: 'read every file and URL again, also those that are unchanged',
    default: false,
  },
  dryRun: {
    flags: '--dry-run',
    meaning: 'fetch and hash, say how many lookups a run would make; no lookup, no write',
    default: false,
  },
  failed: {
    flags: '--failed <file>',
    meaning: 'write the lines that failed, verbatim, ready to be given to --images',
  },
  json: {
    flags: '--json',
    meaning: 'one JSON object a line on standard output',
    default: false,
  },
  quiet: { flags: '--quiet', meaning: 'no progress, only the summary', default: false },
} as const satisfies Record<string, Flag>

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
