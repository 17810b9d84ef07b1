import type { ErrorCode } from './advice.ts'

/** One image of a list: what to fetch, and how to speak of it. */
export interface ImageRef {
  /** Line number in the images file, from 1; of a folder or glob its place in the walk. */
  line: number
  /** The path or URL as written, trimmed, secrets included. For fetching and `--failed` only. */
  text: string
  /** The same without credentials and signatures: for messages, the ledger and rows. */
  source: string
  /** What its line says of it beside its name. */
  told?: Told | undefined
  /** The line as it stands in the list, where it is more than `text`: for `--failed`. */
  written?: string | undefined
  /** The folder that was walked, from the root of the disk; undefined for a line of a list. */
  base?: string | undefined
  /** Why nothing can be fetched: the line cannot be read, or the folder. */
  problem?: { code: ErrorCode; message: string } | undefined
}

/** What a line of a `.jsonl` or `.csv` list may say of its image; it counts more than the flags. */
export interface Told {
  cameraId?: string | undefined
  /** ISO 8601 in UTC. */
  capturedAt?: string | undefined
  regions?: readonly string[] | undefined
  meta?: Readonly<Record<string, unknown>> | undefined
}

/** How a list is written. */
export type ListKind = 'text' | 'jsonl' | 'csv' | 'tree'

/** A list that can be read, and how many images it names where that can be known (a regular file, a folder). */
export interface OpenedList {
  kind: ListKind
  images: (signal: AbortSignal) => AsyncGenerator<ImageRef>
  count: number | undefined
  /** Of CSV, its first line, as written: for `--failed`. */
  header?: string | undefined
  /** How many files were left out so far, for they may still be written. */
  recent?: (() => number) | undefined
}
