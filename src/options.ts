import { z } from 'zod'
import { archiveFolder, archiveProblems } from './archive-folder.ts'
import { capturePolicyOf, captureProblems, captureSchemas } from './capture-options.ts'
import { INGEST_FLAGS, LOST_ANSWER } from './flags.ts'
import {
  confidence,
  expression,
  filled,
  folder,
  hosts,
  jsonObject,
  regions,
  seconds,
  whole,
} from './option-schemas.ts'
import type { ENQUEUE_FLAGS, WORK_FLAGS } from './queue-flags.ts'
import { type Reading, read, withProblems } from './read-options.ts'
import type { Wanted } from './wanted.ts'

const IMAGES_MISSING =
  'is required: a file with one path or URL a line, a folder, or - for standard input.'

/** Every default is the flag table's. */
const flags = INGEST_FLAGS

/** What `ingest` can be told; times in seconds, sizes in bytes. A flag and its schema exist only together. */
const ingestSchema = z.object({
  images: z.string({ error: IMAGES_MISSING }).min(1, IMAGES_MISSING),
  settle: seconds(0).default(flags.settle.default),
  cameraFromPath: expression.optional(),
  ...captureSchemas,
  delay: seconds(0).default(flags.delay.default),
  confidenceThreshold: confidence.default(flags.confidenceThreshold.default),
  concurrency: whole(1, 1_000).default(flags.concurrency.default),
  regions: regions.default([]),
  cameraId: filled.optional(),
  mmc: z.boolean().default(flags.mmc.default),
  engineConfig: jsonObject('{"mode":"fast"}').optional(),
  retries: whole(0, 100).default(flags.retries.default),
  lostAnswer: z
    .enum(LOST_ANSWER, { error: 'must be once, retry or fail.' })
    .default(flags.lostAnswer.default),
  fetchTimeout: seconds(0.001).default(flags.fetchTimeout.default),
  lookupTimeout: seconds(0.001).default(flags.lookupTimeout.default),
  maxImageBytes: whole(1).default(flags.maxImageBytes.default),
  maxImagePixels: whole(1).default(flags.maxImagePixels.default),
  maxUploadBytes: whole(1).optional(),
  publicOnly: z.boolean().default(flags.publicOnly.default),
  allowHost: hosts.default([]),
  local: z.boolean().default(true),
  root: folder.optional(),
  allowInsecureApi: z.boolean().default(flags.allowInsecureApi.default),
  stopAfter: whole(1).default(flags.stopAfter.default),
  grace: seconds(0).default(flags.grace.default),
  patience: seconds(0).default(flags.patience.default),
  heartbeat: seconds(0.1).default(flags.heartbeat.default),
  maxLookups: whole(0).optional(),
  force: z.boolean().default(flags.force.default),
  reread: z.boolean().default(flags.reread.default),
  dryRun: z.boolean().default(flags.dryRun.default),
  failed: filled.optional(),
  archive: archiveFolder.optional(),
  json: z.boolean().default(flags.json.default),
  quiet: z.boolean().default(flags.quiet.default),
} satisfies Record<keyof typeof INGEST_FLAGS, z.ZodType>)

export type IngestOptions = z.infer<typeof ingestSchema>
/** How images are taken through, whatever is wanted of them and wherever they come from. */
export type RunOptions = Pick<
  IngestOptions,
  | 'allowHost'
  | 'archive'
  | 'concurrency'
  | 'fetchTimeout'
  | 'force'
  | 'heartbeat'
  | 'local'
  | 'lookupTimeout'
  | 'lostAnswer'
  | 'maxImageBytes'
  | 'maxImagePixels'
  | 'maxLookups'
  | 'maxUploadBytes'
  | 'patience'
  | 'publicOnly'
  | 'reread'
  | 'retries'
  | 'root'
>
/** The same as a caller may give it: everything but `images` may be left out. */
export type IngestInput = z.input<typeof ingestSchema>

const reprocessSchema = ingestSchema.pick({ confidenceThreshold: true, json: true, quiet: true })
export type ReprocessOptions = z.infer<typeof reprocessSchema>

/** What may be fetched at all. */
const reachSchema = ingestSchema.pick({
  publicOnly: true,
  allowHost: true,
  local: true,
  root: true,
})
export type Reach = z.infer<typeof reachSchema>

const enqueueSchema = z.object({
  ...ingestSchema.pick({
    images: true,
    settle: true,
    cameraFromPath: true,
    capturedAt: true,
    timezone: true,
    filenameTime: true,
    confidenceThreshold: true,
    regions: true,
    cameraId: true,
    mmc: true,
    engineConfig: true,
    json: true,
    quiet: true,
  }).shape,
  meta: jsonObject('{"lane":7}').optional(),
} satisfies Record<keyof typeof ENQUEUE_FLAGS, z.ZodType>)
export type EnqueueOptions = z.infer<typeof enqueueSchema>

const workSchema = z.object({
  ...ingestSchema.pick({
    concurrency: true,
    retries: true,
    lostAnswer: true,
    fetchTimeout: true,
    lookupTimeout: true,
    maxImageBytes: true,
    maxImagePixels: true,
    maxUploadBytes: true,
    archive: true,
    publicOnly: true,
    allowHost: true,
    local: true,
    root: true,
    allowInsecureApi: true,
    stopAfter: true,
    grace: true,
    patience: true,
    heartbeat: true,
    maxLookups: true,
    json: true,
    quiet: true,
  }).shape,
  untilEmpty: z.boolean().default(false),
  delay: seconds(0).optional(),
} satisfies Record<keyof typeof WORK_FLAGS, z.ZodType>)
export type WorkOptions = z.infer<typeof workSchema>

/** What is wanted of every image, out of the flags that say so. */
export function wantedOf({
  regions,
  cameraId,
  mmc,
  engineConfig,
  confidenceThreshold: threshold,
  meta,
  ...flags
}: Omit<EnqueueOptions, 'images' | 'settle' | 'cameraFromPath' | 'json' | 'quiet'>): Wanted {
  const question = { regions, cameraId, mmc, engineConfig }
  return { question, threshold, meta, capture: capturePolicyOf(flags) }
}

/** Reads the options of `ingest`: the options, or every problem with them. */
export function readIngestOptions(given: unknown): Reading<IngestOptions> {
  const reading = read(ingestSchema, given)
  const { images = '', archive } = reading.options ?? {}
  return withProblems(reading, [...archiveProblems(images, archive), ...captureProblems(given)])
}

/** Reads what may be fetched, of options that hold more. */
export function readReach(given: unknown): Reading<Reach> {
  return read(reachSchema, given)
}

/** Reads the options of `enqueue`. */
export function readEnqueueOptions(given: unknown): Reading<EnqueueOptions> {
  return withProblems(read(enqueueSchema, given), captureProblems(given))
}

/** Reads the options of `work`. */
export function readWorkOptions(given: unknown): Reading<WorkOptions> {
  return read(workSchema, given)
}

/** Reads the options of `reprocess`. */
export function readReprocessOptions(given: unknown): Reading<ReprocessOptions> {
  return read(reprocessSchema, given)
}
