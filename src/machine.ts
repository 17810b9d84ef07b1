import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process such that others can tell whether it is still alive. */
export interface ProcessIdentity {
  /** Where `processId` means something: host name, boot and process namespace (containers share boots and numbers). */
  machine: string
  processId: number
  /** When it started, in whatever form the system has; process ids come round again. */
  processStarted: string
}

/** This process. */
export function thisProcess(): ProcessIdentity {
  return {
    machine: [hostname(), read('/proc/sys/kernel/random/boot_id'), namespace()]
      .filter(Boolean)
      .join(' '),
    processId: process.pid,
    processStarted: startOf(process.pid) ?? '',
  }
}

/** Is this process of the same machine alive? Undefined when it is of another one, which cannot be told from here. */
export function isAlive({
  machine,
  processId,
  processStarted,
}: ProcessIdentity): boolean | undefined {
  if (machine !== thisProcess().machine) return undefined
  return startOf(processId) === processStarted
}

/** The host's name out of a machine's identity, for people. */
export function hostOf({ machine }: ProcessIdentity): string {
  return machine.split(' ')[0] ?? machine
}

/** Linux: field 22 of /proc/<pid>/stat, counted after the name in brackets (proc_pid_stat(5)). Elsewhere ps knows. */
function startOf(processId: number): string | undefined {
  const stat = read(`/proc/${processId}/stat`)
  if (stat !== '') {
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : fields[18]
  }
  if (process.platform === 'linux') return undefined
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(processId)], {
      encoding: 'utf8',
    }).trim()
  } catch {
    return undefined
  }
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
