import { z } from 'zod'
import type { ConfigProblem } from './errors.ts'
import { confidence, filled, imageName, imageNames, plateText, whole } from './option-schemas.ts'
import { nameOf, type Reading, read } from './read-options.ts'
import { linkLife, moment, span } from './time-schemas.ts'
import {
  CROPS,
  type IMAGE_FLAGS,
  PICTURES_BY,
  type PLATES_FLAGS,
  type PURGE_FLAGS,
  type QUERY_FLAGS,
  REPORT_FLAGS,
  type URL_FLAGS,
} from './viewing-flags.ts'

// What the commands can be told that come after a run.

/** How rows are written: a table, or one of these. */
const rowFormat = { csv: z.boolean().default(false), json: z.boolean().default(false) }

const platesSchema = z.object({
  plate: plateText.optional(),
  like: plateText.optional(),
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

const ANY_FILTER = 'or --camera or --plate is required: say what is to go.'

/** What `purge` can be told; times in milliseconds. */
const purgeSchema = z
  .object({
    olderThan: span.optional(),
    camera: z.array(filled).optional(),
    plate: z.array(plateText).optional(),
    yes: z.boolean().default(false),
    tombstone: z.boolean().default(true),
    json: z.boolean().default(false),
  } satisfies Record<keyof typeof PURGE_FLAGS, z.ZodType>)
  .refine(({ olderThan, camera, plate }) => (olderThan ?? camera ?? plate) !== undefined, {
    path: ['olderThan'],
    error: ANY_FILTER,
  })
export type PurgeOptions = z.infer<typeof purgeSchema>

/** Reads the options of `plates`. */
export function readPlatesOptions(given: unknown): Reading<PlatesOptions> {
  return inOneFormat(read(platesSchema, given))
}

/** Reads the options of `query`. */
export function readQueryOptions(given: unknown): Reading<QueryOptions> {
  return inOneFormat(read(querySchema, given))
}

/** Refuses `--csv` beside `--json`. */
export function inOneFormat<T extends { csv: boolean; json: boolean }>(
  reading: Reading<T>,
): Reading<T> {
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

/** Reads the options of `purge`. */
export function readPurgeOptions(given: unknown): Reading<PurgeOptions> {
  return read(purgeSchema, given)
}
