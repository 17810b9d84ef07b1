import { readFileSync } from 'node:fs'
import { type LookupResponse, parseResponse } from '../../src/response.ts'

/** Real answers of the Snapshot API, as they came. */
export const ANSWERS = [
  '01-cloud-plate-mmc.json',
  '02-cloud-plate-mmc-direction-1920.json',
  '04-cloud-empty-with-camera-and-size.json',
  '06-cloud-201-single-plate.json',
  '07-cloud-empty.json',
  '09-cloud-2020-one-plate.json',
  '18-old-2019-07-bare-array.json',
  '20-vehicle-mode-docs.json',
  '22-sdk-camera-id-null-string.json',
  '24-sdk-2025-single-plate.json',
  '25-sdk-2025-empty-usage.json',
] as const

export function textOf(answer: (typeof ANSWERS)[number]): string {
  return readFileSync(new URL(`../fixtures/snapshot-api/${answer}`, import.meta.url), 'utf8')
}

/** The answer that a body with these results is read as. */
export function answerOf(results: unknown, envelope: Record<string, unknown> = {}): LookupResponse {
  return parsed(JSON.stringify({ ...envelope, results }))
}

export function parsed(body: string): LookupResponse {
  const response = parseResponse(Buffer.from(body))
  if (response === undefined) throw new Error(`no answer: ${body}`)
  return response
}
