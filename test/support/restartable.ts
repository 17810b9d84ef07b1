/** A server that goes away in the middle of a test and comes back: same address, same data. */
export type Restartable = {
  /** Resolves when connections are refused. */
  down(): Promise<void>
  /** Resolves when it answers; does nothing to a server that is up. */
  up(): Promise<void>
}
