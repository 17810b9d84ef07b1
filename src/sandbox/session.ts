import type { SandboxFlavor, SandboxSwitches } from './options.ts'
import type { SandboxRecord } from './record.ts'
import type { Throttle } from './throttle.ts'

/** What one running sandbox is at the moment: `configure` and `reset` replace its parts. */
export interface Session {
  switches: SandboxSwitches
  record: SandboxRecord
  throttle: Throttle
}

/** The server to stand in for; the cloud by default. */
export function flavorOf({ switches }: Session): SandboxFlavor {
  return switches.flavor ?? 'cloud'
}

/** The plan's allowance, and what is used of it, calls before the sandbox began included. */
export function usageOf({ switches, record }: Session): { calls: number; maxCalls: number } {
  return {
    calls: (switches.usedCalls ?? 0) + record.billedCalls,
    maxCalls: switches.totalCalls ?? 2500,
  }
}
