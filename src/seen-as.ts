import type { BigIntStats } from 'node:fs'
import { z } from 'zod'

/**
 * What tells that a source is as it was when it was last read: of a file its size in bytes, time of change in nanoseconds
 * since 1970 and inode; of a URL what its server calls the version (RFC 9110, 8.8).
 */
const seenAs = z.union([
  z.object({ size: z.number(), mtime: z.string(), inode: z.string() }),
  z.object({ etag: z.string().optional(), last_modified: z.string().optional() }),
])
export type SeenAs = z.infer<typeof seenAs>

/** A file that changed so short a time ago may change again within the same tick of its file system's clock. */
const SETTLED_NS = 2_000_000_000n
/** `Last-Modified` counts whole seconds: only an older one tells one version from the next (RFC 9110, 8.8.2.2). */
const SETTLED_MS = 2_000
/** Longer ones are kept by nobody. */
const LONGEST = 1_000

/** What the ledger has, read; undefined for nothing, and for what a later version may have written. */
export function readSeenAs(kept: unknown): SeenAs | undefined {
  return seenAs.safeParse(kept).data
}

/** Of a file; undefined when it has only just changed. */
export function seenFile({ size, mtimeNs, ino }: BigIntStats): SeenAs | undefined {
  const isSettled = BigInt(Date.now()) * 1_000_000n - mtimeNs > SETTLED_NS
  return isSettled ? fileAs({ size, mtimeNs, ino }) : undefined
}

/** Is a file as it was? */
export function isUnchangedFile(stats: BigIntStats, before: SeenAs): boolean {
  if (!('inode' in before)) return false
  const { size, mtimeNs, ino } = stats
  const isSame = Number(size) === before.size && String(mtimeNs) === before.mtime
  return isSame && String(ino) === before.inode
}

/** Of a file, however lately it has changed: what tells that it is still the one that was read. */
export function fileAs({
  size,
  mtimeNs,
  ino,
}: Pick<BigIntStats, 'size' | 'mtimeNs' | 'ino'>): SeenAs {
  return { size: Number(size), mtime: String(mtimeNs), inode: String(ino) }
}

type Headers = Record<string, string | string[] | undefined>

/** Of a URL, by the headers of its answer; undefined when they do not tell its version. */
export function seenUrl(headers: Headers): SeenAs | undefined {
  const etag = short(headers['etag'])
  const modified = short(headers['last-modified'])
  const age = Date.parse(String(headers['date'])) - Date.parse(modified ?? '')
  const last_modified = age >= SETTLED_MS ? modified : undefined
  return etag === undefined && last_modified === undefined ? undefined : { etag, last_modified }
}

/** The headers that ask for a URL only if it is another than it was; none when nothing is known of it. */
export function conditionsFor(before: SeenAs | undefined): Record<string, string> {
  if (before === undefined || 'inode' in before) return {}
  const { etag, last_modified } = before
  return {
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(last_modified !== undefined && { 'if-modified-since': last_modified }),
  }
}

/** One header of plain text: it will be sent back as it is. */
function short(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST) return undefined
  return /^[\x20-\x7e]+$/.test(value) ? value : undefined
}
