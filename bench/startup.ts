import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { CLI } from '../test/support/cli.ts'
import type { Bench } from './support/bench.ts'
import { atMost, type Measurement, median, times } from './support/measurement.ts'

const RUNS = 30
const CALLS = {
  node: ['-e', '0'],
  help: [CLI, '--help'],
  version: [CLI, '--version'],
}

/** How long it takes to say what the tool is, against Node doing nothing. */
export async function startup({ sized }: Bench): Promise<Measurement[]> {
  const ms: Record<keyof typeof CALLS, number[]> = { node: [], help: [], version: [] }
  for (let run = 0; run < sized(RUNS); run += 1) {
    for (const call of ['node', 'help', 'version'] as const) ms[call].push(timeOf(CALLS[call]))
  }
  return (['help', 'version'] as const).map((call) => {
    const raw = `Medians of ${ms.node.length} runs each by turns: node -e 0 ${median(ms.node).toFixed(1)} ms, --${call} ${median(ms[call]).toFixed(1)} ms.`
    return atMost(`startup --${call}`, median(ms[call]) / median(ms.node), 2, times, raw)
  })
}

function timeOf(args: string[]): number {
  const startedAt = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args)
  const ms = performance.now() - startedAt
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  return ms
}
