import { z } from 'zod'
import type { ConfigProblem } from './errors.ts'
import {
  CROPS,
  type IMAGE_FLAGS,
  INGEST_FLAGS,
  LOST_ANSWER,
  PICTURES_BY,
  type PLATES_FLAGS,
  type QUERY_FLAGS,
  REPORT_FLAGS,
  type URL_FLAGS,
} from './flags.ts'
import type { Question } from './lookup.ts'
import {
  confidence,
  engineConfig,
  filled,
  imageName,
  imageNames,
  linkLife,
  moment,
  regions,
  seconds,
  span,
  whole,
} from './option-schemas.ts'

const IMAGES_MISSING = 'is required: a file with one path or URL a line, or - for standard input.'

/** Every default is the flag table's. */
const flags = INGEST_FLAGS

/** What `ingest` can be told; times in seconds, sizes in bytes. A flag and its schema exist only together. */
const ingestSchema = z.object({
  images: z.string({ error: IMAGES_MISSING }).min(1, IMAGES_MISSING),
  delay: seconds(0).default(flags.delay.default),
  confidenceThreshold: confidence.default(flags.confidenceThreshold.default),
  concurrency: whole(1, 1_000).default(flags.concurrency.default),
  regions: regions.default([]),
  cameraId: filled.optional(),
  mmc: z.boolean().default(flags.mmc.default),
  engineConfig: engineConfig.optional(),
  retries: whole(0, 100).default(flags.retries.default),
  lostAnswer: z
    .enum(LOST_ANSWER, { error: 'must be once, retry or fail.' })
    .default(flags.lostAnswer.default),
  fetchTimeout: seconds(0.001).default(flags.fetchTimeout.default),
  lookupTimeout: seconds(0.001).default(flags.lookupTimeout.default),
  maxImageBytes: whole(1).default(flags.maxImageBytes.default),
  stopAfter: whole(1).default(flags.stopAfter.default),
  grace: seconds(0).default(flags.grace.default),
  patience: seconds(0).default(flags.patience.default),
  heartbeat: seconds(0.1).default(flags.heartbeat.default),
  maxLookups: whole(0).optional(),
  force: z.boolean().default(flags.force.default),
  reread: z.boolean().default(flags.reread.default),
  dryRun: z.boolean().default(flags.dryRun.default),
  failed: filled.optional(),
  json: z.boolean().default(flags.json.default),
  quiet: z.boolean().default(flags.quiet.default),
} satisfies Record<keyof typeof INGEST_FLAGS, z.ZodType>)

export type IngestOptions = z.infer<typeof ingestSchema>
/** The same as a caller may give it: everything but `images` may be left out. */
export type IngestInput = z.input<typeof ingestSchema>

const reprocessSchema = ingestSchema.pick({ confidenceThreshold: true, json: true, quiet: true })
export type ReprocessOptions = z.infer<typeof reprocessSchema>

/** How rows are written: a table, or one of these. */
const rowFormat = { csv: z.boolean().default(false), json: z.boolean().default(false) }

const platesSchema = z.object({
  plate: filled.optional(),
  like: filled.optional(),
  make: filled.optional(),
  model: filled.optional(),
  color: filled.optional(),
  region: filled.optional(),
  camera: filled.optional(),
  since: moment(false).optional(),
  until: moment(true).optional(),
  minConfidence: confidence.optional(),
  limit: whole(1).optional(),
  ...rowFormat,
} satisfies Record<keyof typeof PLATES_FLAGS, z.ZodType>)
export type PlatesOptions = z.infer<typeof platesSchema>

const querySchema = z.object({
  sql: z.string(),
  ...rowFormat,
} satisfies Record<'sql' | keyof typeof QUERY_FLAGS, z.ZodType>)
export type QueryOptions = z.infer<typeof querySchema>

const imageSchema = z.object({
  image: imageName,
  output: filled.optional(),
  crop: z.enum(CROPS, { error: 'must be plate or vehicle.' }).optional(),
} satisfies Record<'image' | keyof typeof IMAGE_FLAGS, z.ZodType>)
export type ImageOptions = z.infer<typeof imageSchema>

const urlSchema = z.object({
  imageNames: imageNames.default([]),
  expires: linkLife.optional(),
  refresh: span.optional(),
  json: z.boolean().default(false),
} satisfies Record<'imageNames' | keyof typeof URL_FLAGS, z.ZodType>)
export type UrlOptions = z.infer<typeof urlSchema>

const MOST_PICTURES = 10_000
const reportSchema = z.object({
  output: filled.default(REPORT_FLAGS.output.default),
  pictures: whole(0, MOST_PICTURES).default(REPORT_FLAGS.pictures.default),
  picturesBy: z
    .enum(PICTURES_BY, { error: `must be ${PICTURES_BY.join(' or ')}.` })
    .default(REPORT_FLAGS.picturesBy.default),
  confidenceThreshold: confidence.optional(),
  since: moment(false).optional(),
  until: moment(true).optional(),
} satisfies Record<keyof typeof REPORT_FLAGS, z.ZodType>)
export type ReportOptions = z.infer<typeof reportSchema>

/** What is asked, out of the options of a run. */
export function questionOf({ regions, cameraId, mmc, engineConfig }: IngestOptions): Question {
  return { regions, cameraId, mmc, engineConfig }
}

/** Reads the options of `ingest`: the options, or every problem with them. */
export function readIngestOptions(given: unknown): Reading<IngestOptions> {
  return read(ingestSchema, given)
}

/** Reads the options of `reprocess`. */
export function readReprocessOptions(given: unknown): Reading<ReprocessOptions> {
  return read(reprocessSchema, given)
}

/** Reads the options of `plates`. */
export function readPlatesOptions(given: unknown): Reading<PlatesOptions> {
  return inOneFormat(read(platesSchema, given))
}

/** Reads the options of `query`. */
export function readQueryOptions(given: unknown): Reading<QueryOptions> {
  return inOneFormat(read(querySchema, given))
}

function inOneFormat<T extends { csv: boolean; json: boolean }>(reading: Reading<T>): Reading<T> {
  if (!reading.options?.csv || !reading.options.json) return reading
  const message = 'are two formats: choose one.'
  return { options: undefined, problems: [{ name: '--csv, --json', message }] }
}

/** Reads the options of `image`. */
export function readImageOptions(given: unknown): Reading<ImageOptions> {
  return read(imageSchema, given)
}

/** Reads the options of `url`. */
export function readUrlOptions(given: unknown): Reading<UrlOptions> {
  const reading = read(urlSchema, given)
  const problem = reading.options && urlProblem(reading.options)
  return problem === undefined ? reading : { options: undefined, problems: [problem] }
}

function urlProblem({ imageNames, refresh, expires }: UrlOptions): ConfigProblem | undefined {
  if (refresh === undefined) {
    if (imageNames.length > 0) return undefined
    const message = 'is required: which images? Or renew the stored links with --refresh <span>.'
    return { name: nameOf('imageNames'), message }
  }
  if (imageNames.length > 0) {
    return { name: '--refresh', message: 'renews the links of all rows: name no image beside it.' }
  }
  if (expires === undefined) return undefined
  const message = 'is for links that are printed; stored ones live as long as S3_URL_EXPIRES says.'
  return { name: '--expires', message }
}

/** Reads the options of `report`. */
export function readReportOptions(given: unknown): Reading<ReportOptions> {
  return read(reportSchema, given)
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
  if (option === 'image' || option === 'imageNames') return '<id|sha256>'
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
