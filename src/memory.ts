import { batchesOf } from './batches.ts'
import type { Recalled } from './db/recall.ts'
import type { ImageRef } from './image-list.ts'
import { type Deps, isComplete, type Line } from './pipeline.ts'

/** Lines that the ledger is asked about at once. */
const MOST_LINES = 128

/**
 * The lines of a list, each with what the ledger has of its source, if that is all there is to do about it: an answered
 * image with all the rows that this run's threshold allows.
 */
export async function* linesWithMemory(
  refs: AsyncIterable<ImageRef>,
  recall: (sources: readonly string[]) => Promise<Recalled>,
  keeps: Deps['keeps'],
): AsyncGenerator<Line> {
  for await (const batch of batchesOf(refs, MOST_LINES)) {
    const recalled = await recall(batch.map(({ source }) => source))
    for (const ref of batch) {
      const remembered = recalled(ref.source)
      const isAll = remembered !== undefined && isComplete(remembered.known, keeps)
      yield isAll ? { ...ref, remembered } : ref
    }
  }
}
