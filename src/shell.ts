import type { Readable } from 'node:stream'

/** What a command sees of the world outside: `cli.ts` gives it the process, a test or the library something else. */
export interface Shell {
  /** The settings' source; what `.env` sets is added to it. */
  env: Record<string, string | undefined>
  input: Readable
  /** Results: standard output. */
  out(text: string): void
  /** The same for bytes. */
  outBytes(bytes: Uint8Array): void
  /** Resolves when standard output can take more: what is written faster than it is read fills the memory. */
  drained(): Promise<void>
  /** Progress and messages: standard error. */
  say(text: string): void
  /** Is standard error a terminal, and how wide is it? Undefined: no terminal. */
  terminalColumns: number | undefined
  /** The same of standard output: `--help` keeps to it. */
  outColumns?: number | undefined
  /** Aborts at the first SIGINT or SIGTERM. */
  signal: AbortSignal
  /** The signal that came, if one did. */
  stoppedBy(): 'SIGINT' | 'SIGTERM' | undefined
  /** This program's version. */
  version: string
}
