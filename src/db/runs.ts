import { randomUUID } from 'node:crypto'
import { isAlive, type ProcessIdentity, thisProcess } from '../machine.ts'
import type { Database } from './database.ts'

/** How often a run shows that it is alive, and how long its claims outlive its last sign of life. In milliseconds. */
export interface Heartbeat {
  everyMs: number
  deadAfterMs: number
}

const HEARTBEAT: Heartbeat = { everyMs: 5_000, deadAfterMs: 30_000 }

/** This run as others on the same database see it: as long as its heartbeat goes, its claims count. */
export interface Run {
  readonly id: string
  readonly heartbeat: Heartbeat
  /** Ends the runs of this machine whose processes are gone, so that their claims are free at once. */
  endDeadRuns(): Promise<void>
  end(): Promise<void>
}

const BEGIN = `
  INSERT INTO ingest_runs (id, machine, process_id, process_started, account, delay_ms)
  VALUES ($1, $2, $3, $4, $5, $6)`
const BEAT = 'UPDATE ingest_runs SET heartbeat_at = now() WHERE id = $1'
const END = 'UPDATE ingest_runs SET ended_at = now() WHERE id = $1 AND ended_at IS NULL'
/** A run of another machine that has been silent for a day is gone; its claims have long been free. */
const END_SILENT = `UPDATE ingest_runs SET ended_at = heartbeat_at
  WHERE ended_at IS NULL AND heartbeat_at < now() - interval '1 day'`
const OPEN_HERE = `
  SELECT id, machine, process_id AS "processId", process_started AS "processStarted"
  FROM ingest_runs WHERE machine = $1 AND ended_at IS NULL AND id <> $2`

/**
 * Enters this process into the database as a run that spends `account` with at least `delayMs` between requests.
 */
export async function beginRun(
  database: Database,
  {
    account,
    delayMs,
    heartbeat = HEARTBEAT,
  }: { account: string; delayMs: number; heartbeat?: Heartbeat },
): Promise<Run> {
  const id = randomUUID()
  const { machine, processId, processStarted } = thisProcess()
  await database.query(BEGIN, [id, machine, processId, processStarted, account, delayMs])
  // A beat that fails is made up for by the next; a run without any loses its claims, as it should.
  const timer = setInterval(
    () => void database.query(BEAT, [id]).catch(() => {}),
    heartbeat.everyMs,
  )
  timer.unref()

  async function endDeadRuns(): Promise<void> {
    const open = await database.query<ProcessIdentity & { id: string }>(OPEN_HERE, [machine, id])
    for (const run of open) {
      if (isAlive(run) === false) await database.query(END, [run.id])
    }
  }

  await endDeadRuns()
  await database.query(END_SILENT)
  return {
    id,
    heartbeat,
    endDeadRuns,
    async end() {
      clearInterval(timer)
      await database.query(END, [id])
    },
  }
}
