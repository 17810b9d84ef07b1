import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { SampleAnswer, SampleAnswers } from '../../src/sandbox/sample-answers.ts'
import { loadSampleAnswers } from '../../src/sandbox/sample-answers.ts'

/** The folder of the sample pictures. */
export const SAMPLES = fileURLToPath(new URL('../../samples/', import.meta.url))

/** What the sandbox sees in the sample pictures. */
export const SAMPLE_ANSWERS = await loadSampleAnswers(SAMPLES)

/** Bytes that pass for a whole JPEG, others for each name: the name as a comment, and a scan of zeros. */
export function pictureOf(name: string, size = 0): Buffer {
  const comment = Buffer.from(name)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(2 + comment.length)
  const start = [Buffer.from('ffd8fffe', 'hex'), length, comment, Buffer.from('ffda0002', 'hex')]
  const end = Buffer.from('ffd9', 'hex')
  const rest = size - Buffer.concat([...start, end]).length
  return Buffer.concat([...start, Buffer.alloc(Math.max(rest, 0)), end])
}

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Answers to pictures of `pictureOf`: for each name its plates, and how sure the reading is. */
export function answersFor(
  seen: Readonly<Record<string, readonly (readonly [plate: string, score: number])[]>>,
): SampleAnswers {
  const entries = Object.entries(seen).map(([name, plates]): [string, SampleAnswer] => [
    sha256Of(pictureOf(name)),
    { results: plates.map(([plate, score]) => ({ plate, score, dscore: 0.9, box: BOX })) },
  ])
  return Object.fromEntries(entries)
}

const BOX = { xmin: 10, ymin: 20, xmax: 110, ymax: 50 }
