import { readdirSync, readFileSync } from 'node:fs'
import type { BenchDatabase } from './databases.ts'

/** What a PostgreSQL server has done since it started; of its commits, those in this database. */
export interface ServerUse {
  /** Processor time of all its processes, those that ended included. Only Linux tells; else not a number. */
  cpuSeconds: number
  walBytes: number
  commits: number
}

const USE = `
  SELECT pg_backend_pid() AS pid, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal,
    (SELECT xact_commit::float8 FROM pg_stat_database WHERE datname = current_database()) AS commits`

/** Linux counts in hundredths of a second, whatever the kernel is built for. */
const TICKS_PER_SECOND = 100

/** What the server of a database has used so far: to be asked before and after. */
async function serverUse({ query }: BenchDatabase): Promise<ServerUse> {
  const [row] = await query<{ pid: number; wal: number; commits: number }>(USE)
  const { pid = 0, wal: walBytes = 0, commits = 0 } = row ?? {}
  return { cpuSeconds: cpuSecondsOf(pid), walBytes, commits }
}

/** What the server uses while `work` is under way. */
export async function whileServing<T>(
  database: BenchDatabase,
  work: () => Promise<T>,
): Promise<{ result: T; used: ServerUse }> {
  const before = await serverUse(database)
  const result = await work()
  const after = await serverUse(database)
  return {
    result,
    used: {
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      walBytes: after.walBytes - before.walBytes,
      commits: after.commits - before.commits,
    },
  }
}

/** Of the server that one of its backends belongs to. */
function cpuSecondsOf(backend: number): number {
  try {
    const postmaster = statOf(backend).parent
    const children = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => statOf(Number(name)))
      .filter(({ parent }) => parent === postmaster)
    const ticks = children.reduce((sum, { own }) => sum + own, 0)
    const { own, ended } = statOf(postmaster)
    return (ticks + own + ended) / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}

/** Processor time in ticks: of the process, and of its children that ended and were waited for. */
function statOf(pid: number): { parent: number; own: number; ended: number } {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    // It has just ended.
    return { parent: -1, own: 0, ended: 0 }
  }
  // Behind the name, which may hold blanks: state, parent, and from the 12th on the times.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15)
  return { parent: fields[1] ?? -1, own: user + system, ended: endedUser + endedSystem }
}
