import { z } from 'zod'
import type { ConfigProblem } from './errors.ts'
import { LOST_ANSWER } from './look-up-plates.ts'
import { confidence, engineConfig, filled, regions, seconds, whole } from './option-schemas.ts'

/** A flag as the command line, its `--help` and the README's table show it. */
export interface Flag {
  flags: string
  meaning: string
}

const IMAGES_MISSING = 'is required: a file with one path or URL a line, or - for standard input.'

/** What `ingest` can be told, with defaults; times in seconds, sizes in bytes. */
const ingestSchema = z.object({
  images: z.string({ error: IMAGES_MISSING }).min(1, IMAGES_MISSING),
  delay: seconds(0).default(0.5),
  confidenceThreshold: confidence.default(0),
  concurrency: whole(1, 1_000).default(8),
  regions: regions.default([]),
  cameraId: filled.optional(),
  mmc: z.boolean().default(false),
  engineConfig: engineConfig.optional(),
  retries: whole(0, 100).default(5),
  lostAnswer: z.enum(LOST_ANSWER, { error: 'must be once, retry or fail.' }).default('once'),
  fetchTimeout: seconds(0.001).default(30),
  lookupTimeout: seconds(0.001).default(60),
  maxImageBytes: whole(1).default(20_000_000),
  stopAfter: whole(1).default(10),
  grace: seconds(0).default(30),
  patience: seconds(0).default(60),
  heartbeat: seconds(0.1).default(5),
  maxLookups: whole(0).optional(),
  force: z.boolean().default(false),
  reread: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  failed: filled.optional(),
  json: z.boolean().default(false),
  quiet: z.boolean().default(false),
})

export type IngestOptions = z.infer<typeof ingestSchema>
/** The same as a caller may give it: everything but `images` may be left out. */
export type IngestInput = z.input<typeof ingestSchema>

/** Every flag of `ingest`, in the order of the README's table. */
export const INGEST_FLAGS = {
  images: {
    flags: '--images <file>',
    meaning: 'the images file, one path or URL a line, or - for standard input',
  },
  delay: {
    flags: '--delay <seconds>',
    meaning: 'least time between two requests to the API, from start to start',
  },
  confidenceThreshold: {
    flags: '--confidence-threshold <0..1>',
    meaning: 'a plate whose reading score is below it gets no row',
  },
  concurrency: { flags: '--concurrency <n>', meaning: 'images in flight at once' },
  regions: {
    flags: '--regions <code...>',
    meaning: 'region hints sent with the lookup; repeatable or comma-separated',
  },
  cameraId: { flags: '--camera-id <id>', meaning: 'sent with every lookup and stored' },
  mmc: {
    flags: '--mmc',
    meaning: 'ask for make, model, color and orientation (a paid add-on of the API)',
  },
  engineConfig: {
    flags: '--engine-config <json>',
    meaning: "the API's engine configuration, sent as config",
  },
  retries: {
    flags: '--retries <n>',
    meaning: 'further attempts after a failed one; a 429 uses none of them',
  },
  lostAnswer: {
    flags: '--lost-answer <once|retry|fail>',
    meaning:
      'when an answer was lost and may have been billed: ask once more, keep to --retries, or never again',
  },
  fetchTimeout: {
    flags: '--fetch-timeout <s>',
    meaning: 'longest time for fetching an image, body included',
  },
  lookupTimeout: {
    flags: '--lookup-timeout <s>',
    meaning: 'longest time for one request to the API, answer included',
  },
  maxImageBytes: {
    flags: '--max-image-bytes <n>',
    meaning: 'a larger image fails and is not looked up',
  },
  stopAfter: {
    flags: '--stop-after <n>',
    meaning: 'consecutive images failed for want of the API before the run stops',
  },
  grace: {
    flags: '--grace <s>',
    meaning: 'how long an interrupted run waits for lookups in flight',
  },
  patience: {
    flags: '--patience <s>',
    meaning: 'how long a database or image store that is away is waited for',
  },
  heartbeat: {
    flags: '--heartbeat <s>',
    meaning: 'how often a run shows that it is alive; its claims are free after six times that',
  },
  maxLookups: {
    flags: '--max-lookups <n>',
    meaning: 'a budget: never send more requests than this that may be billed',
  },
  force: { flags: '--force', meaning: 'look up again what is already known' },
  reread: {
    flags: '--reread',
    meaning: 'read every file and URL again, also those that are unchanged',
  },
  dryRun: {
    flags: '--dry-run',
    meaning: 'fetch and hash, say how many lookups a run would make; no lookup, no write',
  },
  failed: {
    flags: '--failed <file>',
    meaning: 'write the lines that failed, verbatim, ready to be given to --images',
  },
  json: { flags: '--json', meaning: 'one JSON object a line on standard output' },
  quiet: { flags: '--quiet', meaning: 'no progress, only the summary' },
} as const satisfies Record<keyof IngestOptions, Flag>

const reprocessSchema = ingestSchema.pick({ confidenceThreshold: true, json: true, quiet: true })
export type ReprocessOptions = z.infer<typeof reprocessSchema>

/** Reads the options of `ingest`: the options, or every problem with them. */
export function readIngestOptions(given: unknown): Reading<IngestOptions> {
  return read(ingestSchema, given)
}

/** Reads the options of `reprocess`. */
export function readReprocessOptions(given: unknown): Reading<ReprocessOptions> {
  return read(reprocessSchema, given)
}

type Reading<T> = { options: T; problems: [] } | { options: undefined; problems: ConfigProblem[] }

function read<T>(schema: z.ZodType<T>, given: unknown): Reading<T> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return { options: parsed.data, problems: [] }
  const problems = parsed.error.issues.map(({ path, message }) => ({
    name: nameOf(String(path[0])),
    message,
  }))
  // A number may miss its bounds in two ways; one sentence says it.
  const told = new Map(problems.toReversed().map((problem) => [problem.name, problem]))
  return { options: undefined, problems: [...told.values()].toReversed() }
}

/** `confidenceThreshold` as the user wrote it: `--confidence-threshold`. */
function nameOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** An option's default, as the README's table gives it; undefined for those without one. */
export function defaultOf(option: string): unknown {
  const field = new Map<string, z.ZodType>(Object.entries(ingestSchema.shape)).get(option)
  return field?.safeParse(undefined).data
}
