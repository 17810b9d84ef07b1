import type { Page } from '../db/pages.ts'
import { type CANDIDATE_COLUMNS, type PLATE_COLUMNS, platesStatement } from '../db/plates.ts'
import { requireThere } from '../db/schema.ts'
import { ConfigError } from '../errors.ts'
import { localTime } from '../local-time.ts'
import { createRowWriter, type Shown } from '../rows-out.ts'
import { counted } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { openDatabase } from '../stores.ts'
import { readPlatesOptions } from '../viewing-options.ts'
import { requireSettings } from './settings.ts'

/** Nobody reads more than this on a terminal; files take all. */
const SHOWN_ROWS = 100

/** `plate-snapshot plates`: the rows that were kept, newest first. @returns the exit code */
export async function plates(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readPlatesOptions(given)
  const settings = await requireSettings(shell.env, { api: false, storage: false }, problems)
  if (options === undefined) throw new ConfigError(problems)
  const isTable = !options.csv && !options.json
  const shown = options.limit ?? (isTable ? SHOWN_ROWS : undefined)
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireThere(database)
    // One more tells whether there are more.
    const { sql, values } = platesStatement({ ...options, limit: shown && shown + 1 })
    const writer = createRowWriter(options, shell, asTable)
    let count = 0
    const use = async ({ columns, rows }: Page) => {
      const wanted = shown === undefined ? rows : rows.slice(0, shown - count)
      await writer.write({ columns, rows: wanted })
      count += rows.length
    }
    await database.readPages(sql, values, use, shell.signal)
    writer.end()
    if (isTable) shell.say(countLine(count, shown))
    return 0
  } finally {
    await database.close()
  }
}

function countLine(count: number, shown: number | undefined): string {
  if (count === 0) return 'No row is like that.'
  if (shown === undefined || count <= shown) return `${counted(count, 'row')}.`
  return `The first ${counted(shown, 'row')}; --limit shows more, --csv and --json give all.`
}

type Row = Partial<Record<keyof typeof PLATE_COLUMNS | keyof typeof CANDIDATE_COLUMNS, string>>

/** The columns that people see. */
const SHOWN: readonly [head: string, of: (row: Row) => string | undefined][] = [
  ['plate', ({ plate_text }) => plate_text],
  ['confidence', ({ plate_confidence: score }) => score && Number(score).toFixed(3)],
  ['like', likeOf],
  ['time', ({ captured_at, created_at }) => timeOf(captured_at ?? created_at)],
  ['vehicle', ({ vehicle_type }) => vehicle_type],
  ['model', ({ make, model }) => [make, model].join(' ').trim()],
  ['color', ({ color }) => color],
  ['region', ({ region }) => region],
  ['camera', ({ camera_id }) => camera_id],
  ['image', ({ source }) => source],
  ['id', ({ id }) => id],
]

function asTable({ columns, rows }: Page): Shown {
  const hasLike = columns.some(({ name }) => name === 'candidate')
  const shown = SHOWN.filter(([head]) => head !== 'like' || hasLike)
  const cells = rows.map((row) => {
    const named: Row = Object.fromEntries(columns.map(({ name }, n) => [name, row[n] ?? undefined]))
    return shown.map(([, of]) => of(named) ?? '')
  })
  return { heads: shown.map(([head]) => head), cells }
}

/** `iq70otx 0.931`: what reads like the plate that was asked for. */
function likeOf({ candidate, candidate_score: score }: Row): string {
  return `${candidate ?? ''} ${score === undefined ? '' : Number(score).toFixed(3)}`.trim()
}

function timeOf(utc: string | undefined): string {
  const at = new Date(utc ?? '')
  return Number.isNaN(at.getTime()) ? (utc ?? '') : localTime(at)
}
