import { accountOf } from '../account.ts'
import type { Settings } from '../config.ts'
import { type AccountPace, readPace, setPace } from '../db/account-pace.ts'
import type { Database } from '../db/database.ts'
import { counted } from '../run-report.ts'
import type { Shell } from '../shell.ts'

/** `plate-snapshot queue pace [seconds]`: shows the pace of the account, or sets it for all that run. @returns the exit code */
export async function pace(
  database: Database,
  { api }: Settings,
  seconds: number | undefined,
  { json }: { json: boolean },
  shell: Shell,
): Promise<number> {
  const account = accountOf(api)
  if (seconds !== undefined) await setPace(database, account, seconds * 1_000)
  const found = await readPace(database, account)
  if (json) shell.out(JSON.stringify({ event: 'pace', ...paceRecord(found) }))
  else for (const line of paceLines(found)) shell.out(line)
  return 0
}

/** The account's pace as `queue status` shows it: one object for programs, lines for people; nothing where no account is named. */
export async function readPaceShown(
  database: Database,
  { api }: Settings,
): Promise<{ record: object | null; lines: string[] }> {
  // Without the key nobody knows whose pace is meant.
  if (api.isCloud && api.key === undefined) return { record: null, lines: [] }
  const found = await readPace(database, accountOf(api))
  return { record: paceRecord(found), lines: paceLines(found) }
}

/** Times in seconds. */
function paceRecord(found: AccountPace) {
  const { learnedMs, refused } = found
  return {
    delay: toSeconds(found.delayMs),
    kept: toSeconds(found.keptMs),
    workers: found.workers,
    ingest_runs: found.ingestRuns,
    learned: learnedMs === undefined ? null : toSeconds(learnedMs),
    paused_for: toSeconds(found.pausedMs),
    refused: refused === undefined ? null : refused.status,
  }
}

function paceLines(found: AccountPace): string[] {
  const { delayMs, keptMs, learnedMs, pausedMs, refused, ingestRuns, ingestDelayMs } = found
  const lines = [
    delayMs === 0
      ? 'Pace: no delay; the workers keep to the rate that they learn from 429s.'
      : `Pace: one request every ${inSeconds(delayMs)} for all workers together.`,
  ]
  const isIngest = ingestRuns > 0 && ingestDelayMs > delayMs
  if (isIngest) lines.push(`An ingest run on the account asks for ${inSeconds(ingestDelayMs)}.`)
  if (learnedMs !== undefined && learnedMs > delayMs) {
    lines.push(
      `The API takes less: it is one every ${inSeconds(keptMs)} now, learned from its 429s.`,
    )
  }
  if (pausedMs > 0)
    lines.push(
      `All wait for another ${counted(Math.ceil(pausedMs / 1_000), 'second')}: the API asked for it, or is away.`,
    )
  if (refused !== undefined) {
    const ago = counted(Math.round(refused.agoMs / 1_000), 'second')
    lines.push(
      `The API refused the key ${ago} ago (status ${refused.status}), and nobody has asked since: check PLATE_API_KEY and the credits.`,
    )
  }
  return lines
}

function toSeconds(ms: number): number {
  return Math.round(ms) / 1_000
}

function inSeconds(ms: number): string {
  return `${toSeconds(ms)} s`
}
