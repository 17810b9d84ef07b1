import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { openEmbeddedDatabase } from '../../src/db/embedded.ts'

/** An empty embedded database: to make one anew takes seconds of both processors, a copy a tenth of one. */
export async function makeEmbeddedTemplate(): Promise<{ folder: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-template-'))
  const database = await openEmbeddedDatabase(join(folder, 'data'))
  await database.close()
  return { folder: join(folder, 'data'), stop: () => rm(folder, { recursive: true }) }
}

/** Puts a copy of the empty database into a folder, as if it had been made there. */
export async function copyEmbeddedTemplate(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 })
  await promisify(execFile)('cp', ['-R', join(inject('embeddedTemplate'), 'pgdata'), folder])
}
