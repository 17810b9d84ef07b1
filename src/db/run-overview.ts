import { hostOf, isAlive, type ProcessIdentity } from '../machine.ts'
import type { Tally } from '../tally.ts'
import type { Queryable } from './database.ts'
import { IS_ALIVE } from './ledger-statements.ts'

/** How a run ended, if it did. `cut_off`: its process is gone; `ended`: in order, but without a summary. */
type RunState = 'finished' | 'stopped' | 'ended' | 'cut_off' | 'under_way'

/** What a run without a summary has done so far, out of the ledger. */
interface SoFar {
  answered: number
  /** Images claimed by it. */
  atWork: number
  /** Of these: a request may be under way, or was when the run was cut off, and is perhaps billed. */
  asking: number
}

const NO_WORK: SoFar = { answered: 0, atWork: 0, asking: 0 }

export interface RunOverview extends SoFar {
  state: RunState
  host: string
  processId: number
  startedAt: Date
  /** Its end; of a run that was cut off or is under way, its last sign of life. */
  lastSeenAt: Date
  /** As the run's own `--json` had it. */
  summary: RunSummary | null
}

type RunSummary = Partial<Tally> & { seconds?: number; stopped?: string | null }

export interface Runs {
  /** The one that began last. */
  lastRun: RunOverview | undefined
  /** Newest first; `lastRun` may be one of them. */
  underWay: readonly RunOverview[]
}

interface RunRow extends ProcessIdentity {
  id: string
  started_at: Date
  heartbeat_at: Date
  ended_at: Date | null
  is_beating: boolean
  /** Somebody else found it dead, and set its end to its last sign of life. */
  was_found_dead: boolean
  summary: RunSummary | null
}

const RUNS = `
  SELECT id, machine, process_id AS "processId", process_started AS "processStarted",
         started_at, heartbeat_at, ended_at, summary,
         ${IS_ALIVE} AS is_beating,
         ended_at IS NOT DISTINCT FROM heartbeat_at AS was_found_dead
  FROM ingest_runs r
  WHERE ended_at IS NULL OR id = (SELECT id FROM ingest_runs ORDER BY started_at DESC, id LIMIT 1)
  ORDER BY started_at DESC, id`
const SO_FAR = `
  SELECT r.id, count(*) FILTER (WHERE l.answered_by = r.id)::int AS answered,
         count(*) FILTER (WHERE l.claimed_by = r.id)::int AS "atWork",
         count(*) FILTER (WHERE l.claimed_by = r.id AND l.asking_since IS NOT NULL)::int AS asking
  FROM unnest($1::uuid[]) AS r (id) JOIN plate_lookups l ON r.id IN (l.answered_by, l.claimed_by)
  GROUP BY r.id`

/** The last run and those under way, with what the ledger knows of their work. */
export async function readRuns(queryable: Queryable, isEmbedded: boolean): Promise<Runs> {
  const found = await queryable.query<RunRow>(RUNS)
  const [last, ...others] = found.map((row) => ({ row, state: stateOf(row, isEmbedded) }))
  if (last === undefined) return { lastRun: undefined, underWay: [] }
  const shown = [last, ...others.filter(({ state }) => state === 'under_way')]
  const soFar = await readSoFar(
    queryable,
    shown.filter(({ row }) => row.summary === null).map(({ row }) => row.id),
  )
  const runs = shown.map(({ row, state }) => toOverview(row, state, soFar.get(row.id)))
  return { lastRun: runs[0], underWay: runs.filter(({ state }) => state === 'under_way') }
}

async function readSoFar(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Map<string, SoFar>> {
  if (ids.length === 0) return new Map()
  const found = await queryable.query<SoFar & { id: string }>(SO_FAR, [`{${ids.join()}}`])
  return new Map(found.map((soFar) => [soFar.id, soFar]))
}

function stateOf(run: RunRow, isEmbedded: boolean): RunState {
  if (run.summary !== null) return (run.summary.stopped ?? null) === null ? 'finished' : 'stopped'
  if (run.ended_at !== null) return run.was_found_dead ? 'cut_off' : 'ended'
  // One process at a time holds the embedded database: now it is this one, which is no run.
  if (isEmbedded) return 'cut_off'
  // Where the process cannot be seen from here, its heartbeat tells.
  return (isAlive(run) ?? run.is_beating) ? 'under_way' : 'cut_off'
}

function toOverview(row: RunRow, state: RunState, soFar = NO_WORK): RunOverview {
  const { processId, summary, started_at: startedAt, heartbeat_at, ended_at } = row
  const { answered, atWork, asking } = soFar
  return {
    state,
    host: hostOf(row),
    processId,
    startedAt,
    lastSeenAt: ended_at ?? heartbeat_at,
    summary,
    answered,
    atWork,
    asking,
  }
}
