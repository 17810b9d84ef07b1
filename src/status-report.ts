import { adviceOn } from './advice.ts'
import type { Day, Overview } from './db/overview.ts'
import type { RunOverview } from './db/run-overview.ts'
import { localTime } from './local-time.ts'
import { counted, summaryLines, visible } from './run-report.ts'
import { tableLines } from './table.ts'
import { createTally } from './tally.ts'

/** The one line of `status --json`; times are ISO strings in UTC, days are those of `time_zone`. */
export function statusRecord(database: { name: string; isNew: boolean }, overview: Overview) {
  const { images, answered, rows, failures, lookups, requests, days, timeZone } = overview
  const { uncertain, unsettled, lastRun, underWay } = overview
  return {
    event: 'status',
    database: database.name,
    is_there: !database.isNew,
    images,
    answered,
    rows,
    failed: {
      total: failures.reduce((sum, { sources }) => sum + sources, 0),
      by_code: Object.fromEntries(failures.map(({ code, sources }) => [code, sources])),
    },
    lookups: { total: lookups, requests, time_zone: timeZone, by_day: days },
    uncertain,
    unsettled,
    runs: {
      last: lastRun === undefined ? null : runRecord(lastRun),
      under_way: underWay.map(runRecord),
    },
  }
}

function runRecord(run: RunOverview) {
  const { state, host, processId, startedAt, lastSeenAt, answered, atWork, asking, summary } = run
  return {
    state,
    host,
    process_id: processId,
    started_at: startedAt.toISOString(),
    last_seen_at: lastSeenAt.toISOString(),
    ...(summary === null ? { answered, at_work: atWork, asking } : {}),
    summary,
  }
}

/** All of it for people; what there is none of has no line. */
export function statusLines(databaseName: string, overview: Overview): string[] {
  const { lastRun, underWay } = overview
  const others = underWay.filter((run) => run !== lastRun)
  return [
    `Database: ${visible(databaseName)}`,
    ...totalLines(overview),
    ...failureLines(overview),
    ...dayLines(overview),
    ...(lastRun === undefined ? [] : ['', ...runLines('Last run', lastRun)]),
    ...others.flatMap((run) => ['', ...runLines('Another run', run)]),
  ]
}

type Counted = readonly [n: number, text: string]

const textsOf = (lines: readonly Counted[]) => lines.filter(([n]) => n > 0).map(([, text]) => text)

function totalLines(overview: Overview): string[] {
  const { images, answered, rows, lookups, requests, uncertain, unsettled } = overview
  if (images === 0 && rows === 0) return ['No image is known yet.']
  const parts = textsOf([
    [answered, figure(answered, 'answered')],
    [images - answered, figure(images - answered, 'waiting for an answer')],
  ])
  const inRequests = requests === lookups ? '' : ` in ${counted(requests, 'request')}`
  return textsOf([
    [images, `${counted(images, 'image')} known: ${parts.join(', ')}`],
    [rows, counted(rows, 'row')],
    [requests, `${counted(lookups, 'lookup')}${inRequests}`],
    [uncertain, `${counted(uncertain, 'request')} may have been billed, with the answer lost`],
    [
      unsettled,
      `${counted(unsettled, 'paid answer')} whose rows the database refused; the next run with the image tries again and pays nothing`,
    ],
  ])
}

function failureLines({ failures }: Overview): string[] {
  if (failures.length === 0) return []
  const numbers = column('sources', failures, ({ sources }) => sources)
  const rows = failures.map(({ code, newest }, n) => [
    numbers[n] ?? '',
    visible(code),
    localTime(newest),
    adviceOn(code),
  ])
  const heads = ['sources', 'code', 'newest', 'what to do']
  return ['', 'Failed when last tried:', ...tableLines(heads, rows)]
}

function dayLines({ days, timeZone }: Overview): string[] {
  if (days.length === 0) return []
  const columns: [head: string, of: (day: Day) => number][] = [
    ['images', ({ images }) => images],
    ['requests', ({ requests }) => requests],
  ]
  if (days.some(({ uncertain }) => uncertain > 0)) {
    columns.push(['answers lost', ({ uncertain }) => uncertain])
  }
  const cells = columns.map(([head, of]) => column(head, days, of))
  const rows = days.map(({ day }, n) => [day, ...cells.map((numbers) => numbers[n] ?? '')])
  const heads = ['day', ...columns.map(([head]) => head)]
  return ['', `Lookups by day (${timeZone}):`, ...tableLines(heads, rows)]
}

function runLines(label: string, run: RunOverview): string[] {
  const who = `on ${visible(run.host)} (process ${run.processId})`
  const began = `${label}: began ${localTime(run.startedAt)} ${who}, ${outcomeOf(run)}`
  return [began, ...countLines(run).map((line) => `  ${line}`)]
}

function outcomeOf({ state, summary, lastSeenAt }: RunOverview): string {
  switch (state) {
    case 'under_way':
      return 'under way'
    case 'finished':
      return 'finished'
    case 'stopped': {
      const code = summary?.stopped ?? ''
      return `stopped early [${visible(code)}]. ${adviceOn(code)}`.trimEnd()
    }
    case 'ended':
      return `ended ${localTime(lastSeenAt)} without a summary`
    case 'cut_off':
      return `cut off; its last sign of life was ${localTime(lastSeenAt)}`
  }
}

/** What a run did: the summary that it printed, or what the ledger has of it. */
function countLines({ state, summary, answered, atWork, asking }: RunOverview): string[] {
  if (summary !== null) {
    const { seconds = 0, ...counts } = summary
    const tally = { ...createTally(), ...counts }
    return state === 'stopped' && tally.images === 0 ? [] : summaryLines(tally, seconds, false)
  }
  const isGone = state !== 'under_way'
  const parts = textsOf([
    [answered, `${counted(answered, 'image')} answered`],
    [atWork, `${counted(atWork, 'image')} ${isGone ? 'left unfinished' : 'at work'}`],
    [isGone ? asking : 0, `${counted(asking, 'request')} may have been billed`],
  ])
  return parts.length === 0 ? [] : [parts.join(', ')]
}

/** `1,204 waiting` */
function figure(n: number, words: string): string {
  return counted(n, words, words)
}

/** A column of numbers, aligned under the end of its head. */
function column<Row>(head: string, rows: readonly Row[], of: (row: Row) => number): string[] {
  const numbers = rows.map((row) => of(row).toLocaleString('en-US'))
  const width = Math.max(head.length, ...numbers.map(({ length }) => length))
  return numbers.map((number) => number.padStart(width))
}
