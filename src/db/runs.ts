import { randomUUID } from 'node:crypto'
import { isAlive, isSameProcess, type ProcessIdentity, thisProcess } from '../machine.ts'
import type { Database } from './database.ts'

/** How often a run shows that it is alive, and how long its claims outlive its last sign of life. In milliseconds. */
export interface Heartbeat {
  everyMs: number
  deadAfterMs: number
}

const HEARTBEAT: Heartbeat = { everyMs: 5_000, deadAfterMs: 30_000 }

/** A heartbeat may be missed five times. */
export function heartbeatOf(everyMs: number): Heartbeat {
  return { everyMs, deadAfterMs: 6 * everyMs }
}

/** This run as others on the same database see it: as long as its heartbeat goes, its claims count. */
export interface Run {
  readonly id: string
  /** Shows at once that it is alive, as after an outage. */
  beat(): Promise<void>
  /** Ends the runs whose processes are known to be gone, so that their claims are free at once. @returns were there any? */
  endDeadRuns(): Promise<boolean>
  /** @param summary what it did, kept for `status` */
  end(summary?: object): Promise<void>
}

const BEGIN = `
  INSERT INTO ingest_runs (id, machine, process_id, process_started, account, delay_ms, dead_after_ms, confidence_threshold)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
const BEAT = 'UPDATE ingest_runs SET heartbeat_at = clock_timestamp() WHERE id = $1'
const END =
  'UPDATE ingest_runs SET ended_at = now(), summary = $2::jsonb WHERE id = $1 AND ended_at IS NULL'
/** It ended some time after it last showed that it was alive. */
const END_DEAD =
  'UPDATE ingest_runs SET ended_at = heartbeat_at WHERE id = ANY ($1::uuid[]) AND ended_at IS NULL'
/** A run of another machine that has been silent for a day is gone; its claims have long been free. */
const END_SILENT = `UPDATE ingest_runs SET ended_at = heartbeat_at
  WHERE ended_at IS NULL AND heartbeat_at < now() - interval '1 day'`
const OPEN = `
  SELECT id, machine, process_id AS "processId", process_started AS "processStarted"
  FROM ingest_runs WHERE ended_at IS NULL AND id <> $1`

/**
 * Enters this process into the database as a run that spends `account` with at least `delayMs` between requests (undefined:
 * what the account's row says, as workers do), and makes rows by `threshold`. A worker belongs to no account until it joins one
 * (account-pace.ts).
 */
export async function beginRun(
  database: Database,
  {
    account,
    delayMs,
    threshold,
    heartbeat = HEARTBEAT,
  }: {
    account: string | undefined
    delayMs: number | undefined
    threshold?: number
    heartbeat?: Heartbeat
  },
): Promise<Run> {
  const id = randomUUID()
  const self = thisProcess()
  const { machine, processId, processStarted } = self
  const { everyMs, deadAfterMs } = heartbeat
  const process = [machine, processId, processStarted]
  const own = [delayMs ?? null, deadAfterMs, threshold ?? null]
  await database.query(BEGIN, [id, ...process, account ?? null, ...own])
  const beat = async () => void (await database.query(BEAT, [id]))
  // A beat that fails is made up for by the next; a run without any loses its claims, as it should.
  const timer = setInterval(() => void beat().catch(() => {}), everyMs)
  timer.unref()

  /** The embedded database is held by one process at a time: all others are gone. */
  function isDead(run: ProcessIdentity): boolean {
    return database.isEmbedded ? !isSameProcess(run, self) : isAlive(run) === false
  }

  async function endDeadRuns(): Promise<boolean> {
    const open = await database.query<ProcessIdentity & { id: string }>(OPEN, [id])
    const dead = open.filter(isDead).map((run) => run.id)
    if (dead.length > 0) await database.query(END_DEAD, [`{${dead.join(',')}}`])
    return dead.length > 0
  }

  await endDeadRuns()
  await database.query(END_SILENT)
  return {
    id,
    beat,
    endDeadRuns,
    async end(summary) {
      clearInterval(timer)
      await database.query(END, [id, summary === undefined ? null : JSON.stringify(summary)])
    },
  }
}
