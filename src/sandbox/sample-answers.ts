import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const score = z.number().min(0).max(1)
const box = z.object({ xmin: z.int(), ymin: z.int(), xmax: z.int(), ymax: z.int() })

const plateResult = z.looseObject({
  box,
  plate: z.string(),
  region: z.object({ code: z.string(), score }).optional(),
  score,
  candidates: z.array(z.object({ score, plate: z.string() })).optional(),
  dscore: score,
  vehicle: z.object({ score, type: z.string(), box: box.optional() }).optional(),
  model_make: z.array(z.object({ make: z.string(), model: z.string(), score })).optional(),
  color: z.array(z.object({ color: z.string(), score })).optional(),
  orientation: z.array(z.object({ orientation: z.string(), score })).optional(),
})

const sampleAnswer = z.object({
  file: z.string().optional(),
  image_width: z.int().optional(),
  image_height: z.int().optional(),
  results: z.array(plateResult),
})

/** One element of `results` in the default (plate) mode, its mmc keys included, in wire names. */
export type PlateResult = z.infer<typeof plateResult>

/** What the sandbox knows about one image; widths and heights in pixels. */
export type SampleAnswer = z.infer<typeof sampleAnswer>

/** Keyed by the image's SHA-256, lower-case hex. */
export type SampleAnswers = Readonly<Record<string, SampleAnswer>>

/** Reads `answers.json` beside the sample images; throws a ZodError that names what is malformed. */
export async function loadSampleAnswers(folder: URL | string): Promise<SampleAnswers> {
  const path = join(folder instanceof URL ? fileURLToPath(folder) : folder, 'answers.json')
  const text = await readFile(path, 'utf8')
  return z.record(z.string().regex(/^[0-9a-f]{64}$/), sampleAnswer).parse(JSON.parse(text))
}
