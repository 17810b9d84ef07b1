import { createHash } from 'node:crypto'

/** SHA-256 of some bytes in lower-case hex. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Hashing more than this holds the event loop up for longer than handing it to another thread takes. */
const LARGE_BYTES = 1_000_000

/** The same, for large images beside the event loop. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (bytes.length <= LARGE_BYTES) return sha256Of(bytes)
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex')
}
