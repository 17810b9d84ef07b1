import { ADVICE } from './advice.ts'
import { ConfigError, IngestError } from './errors.ts'
import { escapeControls } from './escape-controls.ts'
import type { ImageRef } from './image-list.ts'
import type { IngestResult } from './ingest.ts'
import type { Failed } from './outcome.ts'
import { errorRecord } from './run-records.ts'
import type { Tally } from './tally.ts'

/** One failed image for people: where, what, and what to do. */
export function failureLines({ ref, error, outcome }: Failed): string {
  const { code, message, hint } = errorRecord(error)
  const toDo = outcome === 'returned' ? 'It goes back into the queue, to be tried again.' : hint
  return `${placeOf(ref)}: ${visible(message)} [${code}]\n  ${visible(toDo)}${traceOf(error)}`
}

/** A line that cannot be read, where no image of it is told of. */
export function problemLines(ref: ImageRef): string {
  if (ref.problem === undefined) return ''
  const { code, message } = ref.problem
  return `${placeOf(ref)}: ${visible(message)} [${code}]\n  ${visible(ADVICE[code].hint)}`
}

function placeOf({ base, line }: ImageRef): string {
  return `${base === undefined ? 'line' : 'image'} ${line}`
}

/** What comes from outside, as a part of one line: a line break in it cannot pass for a line of ours. */
export function visible(text: string): string {
  return escapeControls(shortened(text)).replaceAll('\n', '\\x0a')
}

/** Nobody reads a megabyte: what is longer than a screen is shown by its ends. */
function shortened(text: string): string {
  return text.length <= 2_000 ? text : `${text.slice(0, 1_000)} … ${text.slice(-200)}`
}

/** Anything that is no error of ours is a bug: its trace is wanted. */
function traceOf(error: unknown): string {
  return error instanceof IngestError || !(error instanceof Error) ? '' : `\n${error.stack}`
}

/** What stopped a command, for people. */
export function stopLines(error: unknown): string {
  const { code, message, hint } = errorRecord(error)
  // Only what is wrong with flags and settings is told in lines of its own.
  const said = error instanceof ConfigError ? message : visible(message)
  return `${said}${code === 'config' || code === 'interrupted' ? '' : ` [${code}]`}\n${hint}${traceOf(error)}`
}

const number = new Intl.NumberFormat('en-US')
/** `1 image`, `1,204 images`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${number.format(n)} ${n === 1 ? one : many}`
}

/** What is left of the list when a run was stopped. */
export function leftLine({ left, reason }: IngestResult): string[] {
  if (reason === undefined || left === undefined || left === 0) return []
  return [`${counted(left, 'line')} of the list ${left === 1 ? 'is' : 'are'} left.`]
}

/** What became of answers that were paid for and could not be written. */
export function answersLines({ spooled, lost }: IngestResult): string[] {
  const lines: string[] = []
  if (spooled !== undefined) {
    const [are, them] = spooled.answers === 1 ? ['is', 'it'] : ['are', 'them']
    lines.push(
      `${counted(spooled.answers, 'answer')} that could not be written ${are} kept in ${spooled.file}; the next run of this user on this database reads ${them} in first.`,
    )
  }
  if (lost > 0) {
    lines.push(
      `${counted(lost, 'answer')} could be kept nowhere: the next run asks again, and pays again.`,
    )
  }
  return lines
}

/**
 * The summary for people: what happened, lines of zero left out, then what to do next if anything.
 * @param nothing what is said of a run without an image
 */
export function summaryLines(
  tally: Tally,
  seconds: number,
  isDryRun: boolean,
  nothing = 'The list names no image.',
): string[] {
  const { images, uncertain, unchanged, rows_below: below, asked_differently: other } = tally
  const { archived = 0, not_archived: stayed = 0, would_archive: toMove = 0 } = tally
  if (images === 0 && tally.returned === 0) return [nothing]
  const took = seconds < 120 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`
  const notes: [n: number, line: string][] = [
    [
      unchanged,
      unchanged === 1
        ? '1 known image is as it was when it was last read, and was not read again; --reread reads it.'
        : `${counted(unchanged, 'known image')} are as they were when they were last read, and were not read again; --reread reads them.`,
    ],
    [
      tally.purged,
      `${counted(tally.purged, 'image')} ${tally.purged === 1 ? 'was' : 'were'} purged before: neither stored nor looked up.`,
    ],
    [
      tally.fitted,
      `${counted(tally.fitted, 'image')} ${tally.fitted === 1 ? 'was' : 'were'} turned upright, converted or made smaller for the lookup; what is stored is as it was.`,
    ],
    [
      tally.returned,
      `${counted(tally.returned, 'try', 'tries')} failed and went back into the queue.`,
    ],
    [uncertain, `${counted(uncertain, 'request')} may have been billed, with the answer lost`],
    [
      below,
      `${counted(below, 'row')} of known images ${below === 1 ? 'is' : 'are'} below this threshold and stayed; plate-snapshot reprocess with the same --confidence-threshold removes them.`,
    ],
    [
      other,
      `${counted(other, 'known image')} had been asked about with other regions, mmc or engine configuration; --force asks again.`,
    ],
    [archived, `${counted(archived, 'file')} moved to the archive.`],
    [toMove, `${counted(toMove, 'file')} would be moved to the archive.`],
    [
      stayed,
      `${counted(stayed, 'file')} could not be moved to the archive; the next run tries again.`,
    ],
  ]
  return [
    `${counted(images, 'image')} in ${took}${isDryRun ? ' (dry run)' : ''}`,
    ...outcomeLines(tally),
    ...rowLine(tally),
    ...lookupLine(tally),
    ...notes.filter(([n]) => n > 0).map(([, line]) => line),
  ]
}

/** How many images came to what, figures under each other. */
function outcomeLines(tally: Tally): string[] {
  const outcomes: [n: number, label: string][] = [
    [tally.stored, 'stored'],
    [tally.below_threshold, 'below the threshold'],
    [tally.no_plate, 'without a plate'],
    [tally.duplicate, 'known already (not asked, not billed)'],
    [tally.would_look_up, 'would be looked up (nothing was asked, nothing written)'],
    [tally.failed, 'failed'],
  ]
  const shown = outcomes.filter(([n]) => n > 0)
  const width = Math.max(0, ...shown.map(([n]) => number.format(n).length))
  return shown.map(([n, label]) => `  ${number.format(n).padStart(width)} ${label}`)
}

function rowLine({ rows, uploads }: Tally): string[] {
  const parts = [
    ...(rows === 0 ? [] : [counted(rows, 'row')]),
    ...(uploads === 0 ? [] : [counted(uploads, 'image')]),
  ]
  return parts.length === 0 ? [] : [`${parts.join(' and ')} written`]
}

function lookupLine({ lookups, lookups_saved, attempts }: Tally): string[] {
  const requests = attempts === lookups ? [] : [counted(attempts, 'request')]
  const asked = [...(lookups === 0 ? [] : [counted(lookups, 'lookup')]), ...requests].join(' in ')
  const saved = lookups_saved === 0 ? '' : `${counted(lookups_saved, 'lookup')} saved by the ledger`
  const line = [asked, saved].filter((part) => part !== '').join(', ')
  return line === '' ? [] : [line]
}
