import pLimit from 'p-limit'

/**
 * How many images may be between their line and their rows: while so many are asked about, half as many others are read
 * and stored, and the API need not wait for them. One at a time stays one at a time.
 */
export function inFlightFor(concurrency: number): number {
  return concurrency + Math.floor(concurrency / 2)
}

/** So many may be taken at once; each is given back by what comes with it. */
export function createPlaces(most: number): () => Promise<() => void> {
  const atOnce = pLimit(most)
  return () =>
    new Promise((taken) => {
      void atOnce(() => {
        const { promise, resolve } = Promise.withResolvers<void>()
        taken(resolve)
        return promise
      })
    })
}
