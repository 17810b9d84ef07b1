import { createReadStream } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import { CsvError, type Parser, parse } from 'csv-parse'
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import type { ImageRef } from '../image-list.ts'
import { readTexts } from './text-list.ts'
import { badLine, LINE_KEYS, toldLine } from './told-line.ts'

/** What is known of a CSV file by its first line. */
export interface CsvHead {
  /** The line as written. */
  header: string
  delimiter: string
  columns: readonly string[]
}

/** Excel writes semicolons where a comma stands in numbers. */
const DELIMITERS = [',', ';', '\t']

/** Longer is no record of a list: a quote was left open. */
const LONGEST_RECORD = 1_000_000

/** A record as csv-parse gives it with `raw` and `info`. */
const recordSchema = z.object({
  record: z.array(z.string()),
  raw: z.string(),
  info: z.object({ lines: z.number() }),
})

/**
 * The first line of a CSV file, which names its columns.
 * @throws {ConfigError} when a column means nothing, or none is `image`: what it holds would be lost in silence
 */
export async function readCsvHead(path: string): Promise<CsvHead> {
  const wrong = (why: string) => wrongList(path, `${why}; columns may be ${LINE_KEYS.join(', ')}`)
  const input = createReadStream(path)
  try {
    for await (const { text: header } of readTexts(input)) {
      const fields = (delimiter: string) => header.split(delimiter).map(nameOf)
      const delimiter = DELIMITERS.find((one) => fields(one).includes('image'))
      if (delimiter === undefined) throw wrong('has no column named image in its first line')
      const columns = fields(delimiter)
      const known: readonly string[] = LINE_KEYS
      const strange = columns.find((name) => !known.includes(name))
      if (strange !== undefined) throw wrong(`has a column ${JSON.stringify(strange)}`)
      if (new Set(columns).size < columns.length) throw wrong('has a column twice')
      return { header, delimiter, columns }
    }
  } finally {
    input.destroy()
  }
  throw wrong('is empty')
}

function nameOf(field: string): string {
  return field
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim()
    .toLowerCase()
}

/**
 * The images of a CSV file (RFC 4180), streamed. A quote inside a cell stands for itself.
 * @throws {ConfigError} when a quote is never closed: nobody knows what belongs to it
 */
export async function* readCsvList(
  path: string,
  { delimiter, columns }: CsvHead,
  timezone: string | undefined,
  signal?: AbortSignal,
): AsyncGenerator<ImageRef> {
  const parser = parse({
    ...{ bom: true, delimiter, info: true, raw: true, comment: '#', comment_no_infix: true },
    ...{ relax_column_count: true, skip_empty_lines: true, relax_quotes: true },
    max_record_size: LONGEST_RECORD,
  })
  const input = createReadStream(path).on('error', (error) => parser.destroy(error))
  let isHeader = true
  try {
    for await (const given of aborted(input.pipe(parser), signal)) {
      const { record, raw, info } = recordSchema.parse(given)
      if (isHeader) isHeader = false
      else yield refOf(record, columns, { line: info.lines, list: path, timezone, written: raw })
    }
  } catch (thrown) {
    if (signal?.aborted === true) return
    throw thrown instanceof CsvError ? neverClosed(path, thrown) : thrown
  } finally {
    input.destroy()
  }
}

function aborted(parser: Parser, signal: AbortSignal | undefined): Parser {
  return signal === undefined ? parser : addAbortSignal(signal, parser)
}

function refOf(
  cells: readonly string[],
  columns: readonly string[],
  place: Parameters<typeof toldLine>[1],
): ImageRef {
  const written = place.written.replace(/\r?\n$|\r$/, '')
  const at = { ...place, written }
  if (cells.length > columns.length) {
    return badLine(`more cells than the first line has columns (${columns.length})`, at)
  }
  return toldLine(Object.fromEntries(cells.map((cell, n) => [columns[n] ?? '', cell.trim()])), at)
}

function neverClosed(path: string, error: CsvError): ConfigError {
  const { data } = z.object({ lines: z.number() }).safeParse(error)
  const where = data === undefined ? '' : ` at or before line ${data.lines}`
  return wrongList(path, `has a cell${where} whose quote is never closed`)
}

function wrongList(path: string, why: string): ConfigError {
  return new ConfigError([{ name: '--images', message: `${path} ${why}.` }])
}
