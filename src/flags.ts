import type { Flag } from './flag.ts'
import { LIST_FLAGS } from './list-flags.ts'

/** What to do when an answer was lost and may have been billed: ask once more, keep to the retries, or never again. */
export const LOST_ANSWER = ['once', 'retry', 'fail'] as const

/**
 * Every flag of `ingest`, in the order of the README's table; times in seconds, sizes in bytes. `--help` needs no more
 * than this: what a flag accepts is in options.ts, which loads zod.
 */
export const INGEST_FLAGS = {
  ...LIST_FLAGS,
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
  maxImagePixels: {
    flags: '--max-image-pixels <n>',
    meaning: 'a picture of more pixels, width times height, fails and is not looked up',
    // The largest that cameras of phones make have 199.8 million.
    default: 200_000_000,
  },
  maxUploadBytes: {
    flags: '--max-upload-bytes <n>',
    meaning:
      'a larger image is made smaller for the lookup, never in the store (3000000 for the cloud, none for an SDK)',
  },
  publicOnly: {
    flags: '--public-only',
    meaning: 'fetch URLs from public addresses only, none of this machine or the network around it',
    default: false,
  },
  allowHost: {
    flags: '--allow-host <host|CIDR...>',
    meaning: 'exceptions from --public-only; repeatable or comma-separated',
  },
  local: { flags: '--no-local', meaning: 'refuse paths: fetch URLs only' },
  root: {
    flags: '--root <dir>',
    meaning: 'refuse paths that lead out of this folder, also through symbolic links',
  },
  allowInsecureApi: {
    flags: '--allow-insecure-api',
    meaning: 'send the API key unencrypted to a public host, where SNAPSHOT_API_URL is http',
    default: false,
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
  archive: {
    flags: '--archive <dir>',
    meaning: 'move local files there, keeping their tree, once their rows and objects are safe',
  },
  json: {
    flags: '--json',
    meaning: 'one JSON object a line on standard output',
    default: false,
  },
  quiet: { flags: '--quiet', meaning: 'no progress, only the summary', default: false },
} as const satisfies Record<string, Flag>
