import type { Database } from './db/database.ts'
import type { Safety } from './db/settlement.ts'
import { databaseIdOf, readInSpool } from './db/spooled-answers.ts'
import { messageOf, SpoolError } from './errors.ts'
import { checkSpool, createSpool } from './spool.ts'
import type { ImageStore } from './storage/image-store.ts'

/** What a run needs to keep paid answers from harm. */
export interface Safekeeping {
  stateFolder: string
  runId: string
  onNotice: (text: string) => void
}

/** A place for answers while the database is away; that it cannot be used is told at once. */
export async function openSafety(
  database: Database,
  { stateFolder, runId, onNotice }: Safekeeping,
): Promise<Safety> {
  await checkSpool(stateFolder).catch((thrown) => {
    if (!(thrown instanceof SpoolError)) throw thrown
    onNotice(`${thrown.message} ${thrown.hint}`)
  })
  const spool = createSpool(stateFolder, await databaseIdOf(database), runId)
  const onTrouble: Safety['onTrouble'] = (error, { source, sha256 }) =>
    onNotice(`${messageOf(error)} The answer to ${source ?? sha256} is in memory only.`)
  return { spool, onTrouble }
}

/** Writes what earlier runs on this database paid for and could not write, and tells of it. @throws {SpoolError} */
export async function readInEarlier(
  database: Database,
  images: ImageStore,
  { stateFolder: folder, onNotice }: Safekeeping,
): Promise<void> {
  const databaseId = await databaseIdOf(database)
  const { answers, aside } = await readInSpool(database, images, { folder, databaseId })
  const whose =
    answers === 1 ? '1 answer that an earlier run' : `${answers} answers that earlier runs`
  if (answers > 0) {
    onNotice(`${whose} had paid for and could not write: written now, and not asked again.`)
  }
  for (const file of aside) {
    onNotice(`${file} holds answers that were paid for and cannot be read; keep it, and report it.`)
  }
}
