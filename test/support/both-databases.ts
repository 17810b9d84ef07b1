import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../../src/db/database.ts'
import { openEmbeddedDatabase } from '../../src/db/embedded.ts'
import { applySchema } from '../../src/db/schema.ts'
import { openServerDatabase } from '../../src/db/server.ts'
import { createDatabase } from './databases.ts'
import { copyEmbeddedTemplate } from './embedded-template.ts'

/** `openAnother` gives a second way in: a pool of its own on a server, the same one where there is but one process. */
export type OpenedDatabase = AsyncDisposable & {
  database: Database
  openAnother(): Database
}

/** Connections of a test's pool: more than any test has statements in flight. */
const CONNECTIONS = 12

/** An empty database on a server: the test server, or the one whose URL is given. */
export async function openOnServer(serverUrl?: string): Promise<OpenedDatabase> {
  const created = await createDatabase(serverUrl)
  const opened: Database[] = []
  const openAnother = () => {
    const database = openServerDatabase(created.url, CONNECTIONS)
    opened.push(database)
    return database
  }
  return {
    database: openAnother(),
    openAnother,
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(opened.map((database) => database.close()))
      await created[Symbol.asyncDispose]()
    },
  }
}

/** An empty embedded database in a folder that goes with it. */
export async function openEmbedded(): Promise<OpenedDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-pglite-'))
  await copyEmbeddedTemplate(join(folder, 'data'))
  const database = await openEmbeddedDatabase(join(folder, 'data'))
  return {
    database,
    openAnother: () => database,
    async [Symbol.asyncDispose]() {
      await database.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** For `describe.each`: what needs PostgreSQL runs on both. `open` gives an empty database with the schema applied. */
export const BOTH_DATABASES: [name: string, open: () => Promise<OpenedDatabase>][] = [
  ['server PostgreSQL', () => withSchema(openOnServer())],
  ['embedded PostgreSQL', () => withSchema(openEmbedded())],
]

async function withSchema(opening: Promise<OpenedDatabase>): Promise<OpenedDatabase> {
  const opened = await opening
  await applySchema(opened.database)
  return opened
}
