import type { Readable } from 'node:stream'
import type { ImageRef } from '../image-list.ts'
import { readTexts } from './text-list.ts'
import { badLine, toldLine } from './told-line.ts'

/**
 * The images of a list of JSON Lines, streamed: one object a line. Blank lines and lines starting with `#` are skipped.
 * @param how the file, for messages, and the zone of times that tell none
 */
export async function* readJsonList(
  input: Readable,
  { list, timezone }: { list: string; timezone?: string | undefined },
  signal?: AbortSignal,
): AsyncGenerator<ImageRef> {
  for await (const { line, text } of readTexts(input, signal)) {
    const place = { line, list, timezone, written: text }
    const given = parsed(text)
    yield given === undefined
      ? badLine('not JSON; write one object a line, such as {"image":"a.jpg"}', place)
      : toldLine(given.value, place)
  }
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
