import type { Database } from '../db/database.ts'
import type { Page } from '../db/pages.ts'
import { localTime } from '../local-time.ts'
import { failedStatement } from '../queue/dead-letters.ts'
import type { QueueOptions } from '../queue-options.ts'
import { createRowWriter, type Shown } from '../rows-out.ts'
import { counted } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { redactSource } from '../source.ts'

/** Nobody reads more than this on a terminal; files take all. */
const SHOWN_ROWS = 100

/** `plate-snapshot queue failed`: the lines that failed for good, the oldest first. @returns the exit code */
export async function listFailed(
  database: Database,
  schema: string,
  options: QueueOptions,
  shell: Shell,
): Promise<number> {
  const isTable = !options.csv && !options.json
  const shown = options.limit ?? (isTable ? SHOWN_ROWS : undefined)
  // One more tells whether there are more.
  const { sql, values } = failedStatement(schema, { ...options, limit: shown && shown + 1 })
  const writer = createRowWriter(options, shell, asTable)
  let count = 0
  const use = async ({ columns, rows }: Page) => {
    const wanted = shown === undefined ? rows : rows.slice(0, shown - count)
    await writer.write({ columns, rows: wanted.map(withoutSecrets) })
    count += rows.length
  }
  await database.readPages(sql, values, use, shell.signal)
  writer.end()
  if (isTable) shell.say(countLine(count, shown, options.reason !== undefined))
  return 0
}

/** Jobs that other programs put may hold links as they are. */
function withoutSecrets([source, ...others]: Page['rows'][number]): Page['rows'][number] {
  return [source == null ? null : redactSource(source), ...others]
}

function countLine(count: number, shown: number | undefined, isFiltered: boolean): string {
  if (count === 0) return `No line failed for ${isFiltered ? 'that reason' : 'good'}.`
  if (shown !== undefined && count > shown) {
    return `The first ${counted(shown, 'line')}; --limit shows more, --csv and --json give all.`
  }
  return `${counted(count, 'line')}. plate-snapshot queue retry-failed puts back what failed.`
}

const HEADS = ['source', 'reason', 'tries', 'failed', 'message']

function asTable({ rows }: Page): Shown {
  const cells = rows.map(([source, code, message, tries, failedAt]) => [
    source ?? '',
    code ?? '',
    tries ?? '',
    localTime(new Date(failedAt ?? '')),
    message ?? '',
  ])
  return { heads: HEADS, cells }
}
