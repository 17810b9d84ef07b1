import type { Stats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { systemCodeOf } from './errors.ts'

const ROOT = 0
const WRITABLE_FOR_ALL = 0o002

/**
 * Where everybody may write, such as in /tmp, anybody may have made a folder, a file or a link under the name that is
 * meant, and would have the plates. What the user, root or nobody made is trusted, links included, and so is whatever lies
 * where others may not write: data on another disk, a folder of a colleague's, a volume.
 * @throws {Error} when another user made `path`, or a folder above it, where everybody may write; what the system refuses
 */
export async function requireNotPlanted(path: string): Promise<void> {
  const user = process.geteuid?.()
  if (user === undefined) return
  for (let above = resolve(path); above !== dirname(above); above = dirname(above)) {
    const [one, parent] = await Promise.all([ifThere(lstat(above)), ifThere(stat(dirname(above)))])
    if (one === undefined || parent === undefined) continue
    const isOpen = (parent.mode & WRITABLE_FOR_ALL) !== 0
    if (isOpen && one.uid !== user && one.uid !== ROOT) {
      throw new Error(`another user made ${above}, in a folder where everybody may write`)
    }
  }
}

async function ifThere(looking: Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await looking
  } catch (thrown) {
    if (/^(ENOENT|ENOTDIR|EACCES)$/.test(systemCodeOf(thrown) ?? '')) return undefined
    throw thrown
  }
}
