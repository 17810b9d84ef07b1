import { z } from 'zod'
import { box, maybe } from './stored-values.ts'

/**
 * The Snapshot API's answers, in its own names. Everything but the result list is optional, and anything unknown is
 * kept: years and servers differ (cloud, SDK, plate mode, vehicle mode), and an answer is paid for before it is read.
 * Source of the facts: `snapshot-api.md`, sections 4 and 5.
 */

/** A number, or absent: a score that is none must not cost the answer. */
const number = maybe(z.number())
const text = maybe(z.string())

/** A list in which what does not fit is left out. */
function listOf<T extends z.ZodType>(item: T) {
  const fitting = (list: readonly unknown[]) =>
    list.flatMap((element) => {
      const parsed = item.safeParse(element)
      return parsed.success ? [parsed.data] : []
    })
  return maybe(z.array(z.unknown()).transform(fitting))
}

const valued = listOf(z.object({ value: z.string(), score: number }))
const makeModels = listOf(z.object({ make: text, model: text, score: number }))

/** `detection_mode: "plate"` (the default): the plate's text and box stand in the result itself. */
const plateResult = z.object({
  plate: z.string(),
  box,
  score: number,
  dscore: number,
  region: z.object({ code: z.string(), score: number }).optional().catch(undefined),
  candidates: listOf(z.object({ plate: z.string(), score: number })),
  vehicle: z.object({ type: text, score: number, box }).optional().catch(undefined),
  model_make: makeModels,
  color: listOf(z.object({ color: z.string(), score: number })),
  orientation: listOf(z.object({ orientation: z.string(), score: number })),
  direction: number,
  direction_score: number,
})

/** `detection_mode: "vehicle"`: plate and vehicle are two objects, either of which may be missing or null. */
const vehicleResult = z.object({
  plate: z
    .object({
      score: number,
      box,
      props: z.object({ plate: valued, region: valued }).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  vehicle: z
    .object({
      type: text,
      score: number,
      box,
      props: z
        .object({ make_model: makeModels, orientation: valued, color: valued })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
  direction: number,
  direction_score: number,
})

const result = z.union([plateResult, vehicleResult])

const envelope = z.object({
  results: z.array(z.unknown()),
  uuid: text,
  filename: text,
  camera_id: text,
  timestamp: text,
})

export type PlateResult = z.infer<typeof plateResult>
export type VehicleResult = z.infer<typeof vehicleResult>

/** One result as read; undefined for an element that is no result at all. Its place in the list is its index. */
export type LookupResult = PlateResult | VehicleResult | undefined

/** An answer as sent (`raw`, fit for `jsonb`) and as read. */
export interface LookupResponse extends Omit<z.infer<typeof envelope>, 'results'> {
  raw: unknown
  results: readonly LookupResult[]
}

/** Reads the text of an answer; undefined when it is not JSON or holds no result list. */
export function parseResponse(body: string): LookupResponse | undefined {
  try {
    return readResponse(JSON.parse(body.replace(/^\uFEFF/, '')))
  } catch {
    return undefined
  }
}

/** Reads an answer that is JSON already; undefined when it holds no result list. */
export function readResponse(json: unknown): LookupResponse | undefined {
  return readStored(storable(json))
}

/** The same for one from the ledger, which `jsonb` has held. */
export function readStored(raw: unknown): LookupResponse | undefined {
  // In 2019 the API answered with the bare list.
  const parsed = envelope.safeParse(Array.isArray(raw) ? { results: raw } : raw)
  if (!parsed.success) return undefined
  const results = parsed.data.results.map((element) => result.safeParse(element).data)
  return { ...parsed.data, results, raw }
}

/**
 * The same value with what PostgreSQL refuses in `jsonb` and `text` replaced by U+FFFD: NUL characters and lone
 * surrogates. An answer is paid for: it must not fail on its way into the database.
 */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD').toWellFormed()
  if (Array.isArray(value)) return value.map(storable)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [String(storable(key)), storable(inner)]),
  )
}
