import type { Purged } from './db/purge.ts'
import type { PurgePreview } from './db/purge-preview.ts'
import { localTime } from './local-time.ts'
import { counted, visible } from './run-report.ts'
import type { PurgeOptions } from './viewing-options.ts'

/** The one line of `purge --json`; sizes in bytes, times as ISO strings. */
export function purgeRecord(
  { inUse, images, rows, objects, sources, failures, bytes, tombstones, ...when }: PurgePreview,
  isDryRun: boolean,
  stopped: string | null,
) {
  return {
    ...{ event: 'purge', images, rows, objects, sources, failures, in_use: inUse, bytes },
    oldest: when.oldest?.toISOString() ?? null,
    newest: when.newest?.toISOString() ?? null,
    ...{ dry_run: isDryRun, tombstones, stopped },
  }
}

/** What a purge would take, for people. @param which what was asked for, in words */
export function previewLines(preview: PurgePreview, which: string): string[] {
  const { images, failures, inUse, oldest, newest } = preview
  const what =
    images + failures === 0 ? 'Nothing is to be purged' : `This would purge ${took(preview, which)}`
  const when =
    oldest === undefined || newest === undefined
      ? []
      : [`Oldest: ${localTime(oldest)}, newest: ${localTime(newest)}.`]
  return [
    images + failures === 0 ? `${what} (${which}).` : what,
    ...when,
    ...inUseLines(inUse, 'would stay'),
    ...(images + failures === 0 ? [] : ['Nothing was changed. Run it again with --yes to purge.']),
  ]
}

/** What a purge took. */
export function purgedLines(preview: PurgePreview, which: string): string[] {
  const { images, inUse, tombstones } = preview
  const none = images - tombstones
  const again: [n: number, line: string][] = [
    [tombstones, `${tombstones === 1 ? 'It is' : 'They are'} neither stored nor looked up again.`],
    [none, `Without a tombstone, what comes again is stored and looked up anew.`],
  ]
  return [
    `Purged ${took(preview, which)}`,
    ...(images === 0 ? [] : again.filter(([n]) => n > 0).map(([, line]) => line)),
    ...inUseLines(inUse, 'stayed'),
  ]
}

function took(purged: Purged, which: string): string {
  const { images, rows, objects, sources, failures, bytes } = purged
  const parts: [n: number, text: string][] = [
    [rows, counted(rows, 'row')],
    [objects, `${counted(objects, 'object')} in S3`],
    [sources, counted(sources, 'source')],
    [failures, counted(failures, 'failure')],
    [bytes, sizeOf(bytes)],
  ]
  const told = parts.filter(([n]) => n > 0).map(([, text]) => text)
  const with_ = told.length === 0 ? '' : `: ${told.join(', ')}`
  return `${counted(images, 'image')} (${which})${with_}.`
}

function inUseLines(inUse: number, stays: string): string[] {
  if (inUse === 0) return []
  const is = inUse === 1 ? 'is' : 'are'
  return [
    `${counted(inUse, 'image')} ${is} in use by a run that is under way, and ${stays}: run purge again when it has ended.`,
  ]
}

/** `4.1 MB` */
function sizeOf(bytes: number): string {
  return bytes < 1_000_000
    ? `${Math.ceil(bytes / 1_000)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** What is to go, in words. */
export function whichImages({ camera, plate }: PurgeOptions, before: Date | undefined): string {
  const parts = [
    ...(before === undefined ? [] : [`first stored before ${localTime(before)}`]),
    ...(camera === undefined ? [] : [`camera ${camera.join(' or ')}`]),
    ...(plate === undefined ? [] : [`plate ${plate.join(' or ')}`]),
  ]
  return visible(parts.join(', '))
}
