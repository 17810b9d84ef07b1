/** What `AsyncDisposableStack` does on Node 24; the tests run on Node 22 too. */
export type Disposables = AsyncDisposable & {
  use<T extends AsyncDisposable>(resource: T): T
  defer(close: () => Promise<void>): void
}

/** Resources that are disposed of together, the last first, and all of them even if one fails. */
export function disposables(): Disposables {
  const closers: (() => PromiseLike<void>)[] = []
  return {
    use(resource) {
      closers.push(() => resource[Symbol.asyncDispose]())
      return resource
    },
    defer(close) {
      closers.push(close)
    },
    async [Symbol.asyncDispose]() {
      const failures: unknown[] = []
      for (const close of closers.reverse()) {
        try {
          await close()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
