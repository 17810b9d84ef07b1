import type { SandboxFault } from './fault.ts'
import type { SandboxLookup } from './record.ts'
import type { SampleAnswers } from './sample-answers.ts'

/** Which server to stand in for: they differ in status, keys, authentication and timestamps. */
export type SandboxFlavor = 'cloud' | 'sdk'

/** The switches that can also be turned while the sandbox runs; `undefined` is the default. */
export interface SandboxSwitches {
  /** Default `cloud`. */
  flavor?: SandboxFlavor | undefined
  /** Cloud: the only key accepted; by default any key that is not empty. */
  token?: string | undefined
  /** What is seen in known images; any other image has `results: []`. */
  answers?: SampleAnswers | undefined
  /** The plan's allowance, default 2,500, the free trial's; a call beyond it gets 403. */
  totalCalls?: number | undefined
  /** Calls made before the sandbox began, default 0. */
  usedCalls?: number | undefined
  /** Requests admitted in any rolling second; no limit by default. The trial plan has 1, paid ones 8. */
  lookupsPerSecond?: number | undefined
  /** How a 429 tells the wait, default `both`: the documentation shows only the sentence. */
  retryAfter?: 'header' | 'sentence' | 'both' | 'none' | undefined
  /** Time an admitted lookup takes, default 0; of a pair, any time between the two. */
  latencyMs?: number | readonly [min: number, max: number] | undefined
  /** Asked for each lookup that would be answered well, after authentication and throttle. */
  fault?: ((lookup: SandboxLookup) => SandboxFault | undefined) | undefined
  /**
   * Asked when a POST's headers arrive; `true` resets the connection before the body is read, and
   * bills nothing. Only `index`, `authorization` and `atMs` are known then.
   */
  resetBeforeBody?: ((lookup: SandboxLookup) => boolean) | undefined
  /**
   * A longer request body gets 413. Default 3,000,000 for the cloud, where the limit was seen to
   * bite the encoded body, and none for the SDK.
   */
  uploadLimitBytes?: number | undefined
}

/** All switches, and the port, which is bound on 127.0.0.1 only. */
export interface SandboxOptions extends SandboxSwitches {
  /** Default 0: any free one. */
  port?: number | undefined
}
