import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { NOTHING_NOTED, type Noted } from './noted.ts'
import { mend } from './storable.ts'
import { box, maybe } from './stored-values.ts'

/**
 * The Snapshot API's answers, in its own names. Everything but the result list is optional, and anything unknown is
 * kept: years and servers differ (cloud, SDK, plate mode, vehicle mode), and an answer is paid for before it is read.
 * Source of the facts: `snapshot-api.md`, sections 4 and 5.
 */

/** A number, or absent: a score that is none must not cost the answer. */
const number = maybe(z.number())
const text = maybe(z.string())

/** Guesses of one kind that are read of a result; the API gives three. An index takes each of them for itself. */
const MOST_GUESSES = 100

/** A list in which what does not fit is left out. */
function listOf<T extends z.ZodType>(item: T) {
  const fitting = (list: readonly unknown[]) =>
    list.slice(0, MOST_GUESSES).flatMap((element) => {
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
  noted: Noted
}

/** Reads the bytes of an answer; undefined when it is not JSON or holds no result list. */
export function parseResponse(body: Buffer): LookupResponse | undefined {
  const text = body.toString('utf8').replace(/^\uFEFF/, '')
  const encoding = isUtf8(body) ? [] : ['encoding']
  const json = jsonOf(text)
  if (json !== undefined) return readResponse(json, { mended: encoding })
  return readResponse(jsonOf(withoutNaN(text)), { mended: [...encoding, 'number'] })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Python writes `NaN` and `Infinity` into its JSON unless it is told not to: null, but in a string. */
function withoutNaN(text: string): string {
  let isInString = false
  return text.replace(/\\.|"|-?\b(?:NaN|Infinity)\b/gs, (found) => {
    if (found === '"') isInString = !isInString
    return isInString || found === '"' || found.startsWith('\\') ? found : 'null'
  })
}

/**
 * Reads an answer that is JSON already; undefined when it holds no result list.
 * @param noted what is known of it, and was replaced in it before
 */
export function readResponse(
  json: unknown,
  noted: Noted = NOTHING_NOTED,
): LookupResponse | undefined {
  const { value, mended } = mend(json)
  return readStored(value, { ...noted, mended: [...new Set([...noted.mended, ...mended])].sort() })
}

/** The same for one from the ledger, which `jsonb` has held. */
export function readStored(raw: unknown, noted: Noted): LookupResponse | undefined {
  // In 2019 the API answered with the bare list.
  const parsed = envelope.safeParse(Array.isArray(raw) ? { results: raw } : raw)
  if (!parsed.success) return undefined
  const results = parsed.data.results.map(toResult)
  return { ...parsed.data, results, raw, noted }
}

function toResult(element: unknown): LookupResult {
  // Said before the schemas say so: they take their time over each.
  return typeof element === 'object' ? result.safeParse(element).data : undefined
}
