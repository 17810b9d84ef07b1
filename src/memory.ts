import { batchesOf } from './batches.ts'
import type { Recalled } from './db/recall.ts'
import { isComplete, type Line } from './pipeline.ts'
import type { WantedLine } from './wanted.ts'

/** Lines that the ledger is asked about at once. */
const MOST_LINES = 128

/**
 * The lines of a list, each with what the ledger has of its source, if that is all there is to do about it: an answered
 * image with all the rows that its threshold allows.
 */
export async function* linesWithMemory(
  lines: AsyncIterable<WantedLine>,
  recall: (sources: readonly string[]) => Promise<Recalled>,
): AsyncGenerator<Line> {
  for await (const batch of batchesOf(lines, MOST_LINES)) {
    const recalled = await recall(batch.map(({ source }) => source))
    for (const line of batch) yield withMemory(line, recalled)
  }
}

/** A line with what was recalled of its source, if that is all there is to do about it. */
export function withMemory(line: WantedLine, recalled: Recalled): Line {
  const { source, wanted } = line
  const remembered = recalled(source, wanted.question)
  const isAll = remembered !== undefined && isComplete(remembered.known, wanted)
  return isAll ? { ...line, remembered } : line
}
