/**
 * One call for many: what is asked for while a batch is under way goes together in the next one. A batch that fails is
 * done again item by item, so that one sick item harms no other.
 * @param run gives a result for each item, in their order; must do no harm when it is done twice
 * @param most items of a batch
 */
export function inBatches<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  most: number,
): (item: Item) => Promise<Result> {
  type Asked = PromiseWithResolvers<Result> & { item: Item }
  let waiting: Asked[] = []
  let isUnderWay = false

  async function settle(batch: readonly Asked[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item))
      for (const [place, { resolve, reject }] of batch.entries()) {
        const result = results[place]
        if (result === undefined) reject(new Error('A batch gave too few results.'))
        else resolve(result)
      }
    } catch (thrown) {
      if (batch.length > 1) await Promise.all(batch.map((asked) => settle([asked])))
      else for (const { reject } of batch) reject(thrown)
    }
  }

  async function goOn(): Promise<void> {
    isUnderWay = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, most)
      waiting = waiting.slice(most)
      await settle(batch)
    }
    isUnderWay = false
  }

  return (item) => {
    const asked = { ...Promise.withResolvers<Result>(), item }
    waiting.push(asked)
    // What is asked for in the same turn of the event loop goes together.
    if (!isUnderWay && waiting.length === 1) setImmediate(goOn)
    return asked.promise
  }
}

/**
 * What comes, by the batch: as much as is there, at most `most`. A list that is typed in, or fed by a program, is not
 * waited for until a batch is full.
 */
export async function* batchesOf<T>(
  source: AsyncIterable<T>,
  most: number,
): AsyncGenerator<readonly T[]> {
  const iterator = source[Symbol.asyncIterator]()
  const ask = () => {
    const asked = iterator.next()
    // It may fail while a batch is in use; whoever waits for it next hears of it.
    asked.catch(() => {})
    return asked
  }
  try {
    let coming = ask()
    for (;;) {
      const first = await coming
      if (first.done) return
      const batch = [first.value]
      coming = ask()
      while (batch.length < most) {
        // What it fails with comes after what it gave.
        const ready = await Promise.race([coming.catch(() => undefined), nothingReady()])
        if (ready === undefined || ready.done) break
        batch.push(ready.value)
        coming = ask()
      }
      yield batch
    }
  } finally {
    await iterator.return?.()
  }
}

/** Resolves after all that is ready has had its turn. */
function nothingReady(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)))
}
