import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { systemCodeOf } from './errors.ts'

/** A process such that others can tell whether it is still alive. */
export interface ProcessIdentity {
  /**
   * Where `processId` means something: host name, machine id, boot and process namespace (containers share boots and
   * numbers), a blank between; `-` for what the system does not tell.
   */
  machine: string
  processId: number
  /** When it started, in whatever form the system has; process ids come round again. */
  processStarted: string
}

/** This process. */
export function thisProcess(): ProcessIdentity {
  const known = [
    hostname(),
    read('/etc/machine-id'),
    read('/proc/sys/kernel/random/boot_id'),
    namespace(),
  ]
  return {
    machine: known.map((part) => part.replace(/\s+/g, '_') || '-').join(' '),
    processId: process.pid,
    processStarted: startOf(process.pid) ?? '',
  }
}

/** Do the two name one process? */
export function isSameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  const { machine, processId, processStarted } = one
  return (
    machine === other.machine &&
    processId === other.processId &&
    processStarted === other.processStarted
  )
}

/** Is this process of the same machine alive? Undefined when it is of another one, which cannot be told from here. */
export function isAlive({
  machine,
  processId,
  processStarted,
}: ProcessIdentity): boolean | undefined {
  const here = thisProcess().machine
  if (machine !== here) return hasRebooted(machine, here) ? false : undefined
  if (!isThere(processId)) return false
  const started = startOf(processId)
  // Other users' processes may be hidden: what is there and cannot be seen is taken for alive.
  return started === undefined || started === processStarted
}

/** The same host by name and machine id, but another boot: nothing of then is alive. */
function hasRebooted(then: string, now: string): boolean {
  const [host, id, boot] = then.split(' ')
  const [hostNow, idNow, bootNow] = now.split(' ')
  return host === hostNow && id === idNow && id !== '-' && boot !== bootNow && bootNow !== '-'
}

/** Does the number belong to a process? (kill(2): signal 0 only asks; EPERM means yes.) */
function isThere(processId: number): boolean {
  try {
    process.kill(processId, 0)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ESRCH') return false
  }
  return stateOf(processId) !== 'Z'
}

/** The host's name out of a machine's identity, for people. */
export function hostOf({ machine }: ProcessIdentity): string {
  return machine.split(' ')[0] ?? machine
}

/** Linux: fields of /proc/<pid>/stat after the name in brackets, the first of them field 3 (proc_pid_stat(5)). */
function statOf(processId: number): string[] {
  const stat = read(`/proc/${processId}/stat`)
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** `Z`: ended, and not yet fetched by its parent. */
function stateOf(processId: number): string | undefined {
  return statOf(processId)[0]
}

/** Linux: field 22, ticks since the boot. Elsewhere ps knows, in one language and time zone for all. */
function startOf(processId: number): string | undefined {
  const ticks = statOf(processId)[19]
  if (ticks !== undefined || process.platform === 'linux') return ticks
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(processId)], {
      encoding: 'utf8',
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
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
