/**
 * Does `work` for every item, `most` of them at once.
 * @throws what the first that failed threw, after those under way have ended; no further one is begun
 */
export async function eachAtOnce<T>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  let hasFailed = false
  const worker = async () => {
    for (const item of queue) {
      if (hasFailed) return
      await work(item).catch((thrown) => {
        hasFailed = true
        throw thrown
      })
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: most }, worker))
  for (const end of ended) if (end.status === 'rejected') throw end.reason
}
