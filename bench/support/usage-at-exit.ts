// Loaded into each measured process: when it ends, what it used is written to the file that BENCH_USAGE names.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'

/** What a process used, the memory at its peak. */
export type Usage = { cpuSeconds: number; peakRssMb: number }

const file = process.env['BENCH_USAGE']
if (file !== undefined && isMainThread) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6
    const usage: Usage = { cpuSeconds, peakRssMb: (peakKb() ?? maxRSS) / 1024 }
    writeFileSync(file, JSON.stringify(usage))
  })
}

/** Linux counts the memory of the parent, before exec, into `maxRSS`; VmHWM is this program's alone. */
function peakKb(): number | undefined {
  try {
    return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  } catch {
    return undefined
  }
}
