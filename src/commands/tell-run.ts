import { type Account, readAccount } from '../account.ts'
import type { ApiSettings } from '../config.ts'
import type { ImageRef } from '../image-list.ts'
import type { IngestEvents, IngestResult } from '../ingest.ts'
import { type Progress, showProgress, silentProgress } from '../progress.ts'
import { imageRecord, summaryRecord } from '../run-records.ts'
import {
  answersLines,
  counted,
  failureLines,
  leftLine,
  stopLines,
  summaryLines,
  visible,
} from '../run-report.ts'
import type { Shell } from '../shell.ts'
import type { Opened } from '../wiring.ts'

/** Failed images that a quiet run lists with its summary; the rest are only counted. */
const MOST_LISTED = 20
/** A shorter wait than this, in milliseconds, is nothing to tell. */
const WORTH_TELLING_MS = 5_000

/** Says where rows and images go, before anything is spent. */
export type Describe = (
  opened: Opened,
  account: Account | undefined,
  lines: number | undefined,
) => string

export interface Telling {
  json: boolean
  quiet: boolean
  isDryRun: boolean
  /** Lines there are, where that can be known. */
  lines: number | undefined
  /** Whose account is told of; undefined for nobody's. */
  api: ApiSettings | undefined
  describe: Describe
  /** What is said of a run without an image. */
  nothing?: string
  /** Where all failed images can be found, when a quiet run does not list them all. */
  allFailed: string
  onFailed: (ref: ImageRef) => void
}

/** A run as it is seen: progress and failures on standard error, images and the summary on standard output. */
export async function tellRun(
  { json, quiet, isDryRun, lines, api, describe, nothing, allFailed, onFailed }: Telling,
  shell: Shell,
  run: (events: IngestEvents) => Promise<IngestResult>,
): Promise<IngestResult> {
  const listed: string[] = []
  const progress = quiet
    ? silentProgress((text) => void (listed.length < MOST_LISTED && listed.push(text)))
    : showProgress(shell, lines)
  // Whether the API tells it or not, the lookups will show.
  const asking = api && readAccount(api, shell.signal).catch(() => undefined)
  const result = await run({
    async onOpen(opened) {
      const toSay = quiet ? shell : progress
      toSay.say(describe(opened, await asking, lines))
    },
    onNotice: (text) => (quiet ? shell : progress).say(visible(text)),
    onOutcome: (outcome, soFar) => {
      if (json) shell.out(JSON.stringify(imageRecord(outcome)))
      if (outcome.outcome === 'failed') onFailed(outcome.ref)
      if ('error' in outcome) progress.say(failureLines(outcome))
      progress.update(soFar)
    },
    onThrottled: waitTeller(progress),
  })
  progress.stop()

  const { tally, seconds, reason } = result
  if (reason !== undefined) shell.say(stopLines(reason))
  for (const line of [...leftLine(result), ...answersLines(result)]) shell.say(line)
  if (json) shell.out(JSON.stringify(summaryRecord(result, isDryRun)))
  else if (tally.images > 0 || reason === undefined) {
    for (const line of summaryLines(tally, seconds, isDryRun, nothing)) shell.out(line)
  }
  for (const text of listed) shell.say(text)
  if (quiet && tally.failed > listed.length) {
    shell.say(`… and ${tally.failed - listed.length} more; ${allFailed}`)
  }
  return result
}

/** Where rows and images go and what may be spent, before anything is. */
export function openLines(
  { database, images }: Opened,
  account: Account | undefined,
  lines: number | undefined,
): string {
  const isNew = database.isNew ? ' (new and empty: every image will be billed)' : ''
  const where = [`Database: ${database.name}${isNew}.`]
  if (images !== undefined) where.push(`Images: ${images.name}.`)
  where.push(...creditLines(account, lines))
  if (images?.notice !== undefined) where.push(images.notice)
  return where.join(' ')
}

/** The lookups left, where the API tells, and whether they suffice. */
function creditLines(account: Account | undefined, lines: number | undefined): string[] {
  if (account?.used === undefined || account.allowed === undefined) return []
  const { used, allowed } = account
  const left = Math.max(0, allowed - used)
  const line = `Lookups left: ${left} of ${allowed}.`
  if (lines === undefined || lines <= left) return [line]
  return [
    line,
    `WARNING: the list has ${counted(lines, 'line')}; --dry-run counts how many of them are not known yet.`,
  ]
}

/** Says once that everybody waits, however many lookups were told to. */
function waitTeller(progress: Progress): (waitMs: number) => void {
  let toldUntil = 0
  return (waitMs) => {
    const now = performance.now()
    if (waitMs < WORTH_TELLING_MS || now < toldUntil) return
    toldUntil = now + waitMs
    progress.say(`The API asks to wait ${Math.ceil(waitMs / 1_000)} s (429); all lookups wait.`)
  }
}
