import type { Queryable } from './db/database.ts'
import { linkPages, replaceLinks } from './db/link-rows.ts'
import type { S3Object } from './db/snapshots.ts'
import { InterruptedError } from './errors.ts'
import { endOfLink } from './link-end.ts'
import { localTime } from './local-time.ts'
import { counted } from './run-report.ts'

/** Rows with a presigned link, and what became of each. */
export interface Refreshed {
  rows: number
  renewed: number
  /** They live longer than was asked for. */
  good: number
  /** The first of those ends then. */
  goodUntil: Date | undefined
  /** Nobody knows their object. */
  unknown: number
  /** Another process was writing them. */
  changed: number
}

export function createRefreshed(): Refreshed {
  return { rows: 0, renewed: 0, good: 0, goodUntil: undefined, unknown: 0, changed: 0 }
}

const HINT = 'Run it again: what is renewed stays so, and the rest is as it was.'

/**
 * Renews every stored link that ends before a time, or has ended, a page at a time; counts in `done` as it goes.
 * @param linkTo what a run would write as `image_url` now
 * @throws {InterruptedError} between two pages, when `signal` aborts; an IngestError when the database is down
 */
export async function refreshLinks(
  database: Queryable,
  linkTo: (object: S3Object) => Promise<string>,
  endsBefore: Date,
  done: Refreshed,
  signal: AbortSignal,
): Promise<void> {
  for await (const page of linkPages(database)) {
    if (signal.aborted) throw new InterruptedError({ hint: HINT })
    const ending: { id: string; url: string; object: S3Object }[] = []
    for (const { id, url, object } of page) {
      const end = url && endOfLink(url)
      if (!end) continue
      done.rows += 1
      if (end >= endsBefore) {
        done.good += 1
        if (done.goodUntil === undefined || end < done.goodUntil) done.goodUntil = end
      } else if (object === undefined) done.unknown += 1
      else ending.push({ id, url, object })
    }
    const links = await Promise.all(
      ending.map(async ({ id, url, object }) => ({ id, old: url, new: await linkTo(object) })),
    )
    const renewed = await replaceLinks(database, links)
    done.renewed += renewed
    done.changed += links.length - renewed
  }
}

/** What was done, as `--json` writes it. */
export function refreshedRecord(done: Refreshed, stopped: string | null) {
  const { rows, renewed, good, goodUntil, unknown, changed } = done
  const good_until = goodUntil?.toISOString() ?? null
  return { event: 'refreshed', rows, renewed, good, good_until, unknown, changed, stopped }
}

/** The same for people. */
export function refreshedLine(done: Refreshed): string {
  const { rows, renewed, good, goodUntil, unknown, changed } = done
  if (rows === 0) return 'No presigned link was found in image_url.'
  const until = goodUntil === undefined ? '' : `, the first of them until ${localTime(goodUntil)}`
  const parts: [n: number, text: string][] = [
    [renewed, counted(renewed, 'renewed', 'renewed')],
    [good, `${counted(good, 'still good', 'still good')}${until}`],
    [unknown, `${counted(unknown, 'without', 'without')} a known object`],
    [changed, `${counted(changed, 'left', 'left')} to a run that was writing it`],
  ]
  const told = parts.filter(([n]) => n > 0).map(([, text]) => text)
  return `${counted(rows, 'link')} looked at: ${told.join('; ')}.`
}
