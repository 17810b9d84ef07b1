import { spawnSync } from 'node:child_process'
import { chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './programs.ts'

/** Empty, or whom root lets run a program that refuses to run as root. */
export type RunAs = { uid?: number; gid?: number }

/** "nobody" is there on every Unix, unlike a user `postgres`, and nothing needs to be added to the system. */
export async function ordinaryUser(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {}
  const [uid, gid] = await Promise.all([run('id', ['-u', 'nobody']), run('id', ['-g', 'nobody'])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

/** Whether `runAs` may go into a folder or execute a file, the folders above it included. */
export function mayEnter(path: string, runAs: RunAs): boolean {
  return spawnSync('test', ['-x', path], { ...runAs, cwd: '/' }).status === 0
}

/** A temporary folder that belongs to `runAs`, and that nobody else but root may look into. */
export async function folderOf(runAs: RunAs, prefix: string): Promise<string> {
  const parent = mayEnter(tmpdir(), runAs) ? tmpdir() : '/tmp'
  const folder = await mkdtemp(join(parent, prefix))
  if (runAs.uid !== undefined) await chown(folder, runAs.uid, runAs.gid ?? runAs.uid)
  return folder
}
