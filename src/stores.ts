import type { DatabaseSettings } from './addresses.ts'
import type { StorageSettings } from './config.ts'
import type { Database } from './db/database.ts'
import { createByteaStore } from './storage/bytea-store.ts'
import type { ImageStore } from './storage/image-store.ts'

/** Connections to a server database: more only queue up inside it. */
const MOST_CONNECTIONS = 10

/** Opens the database the settings name. Its schema is not looked at. */
export async function openDatabase(
  settings: DatabaseSettings,
  {
    concurrency = 1,
    mayCreate = true,
    queryTimeoutMs,
  }: { concurrency?: number; mayCreate?: boolean; queryTimeoutMs?: number } = {},
): Promise<Database> {
  if (settings.kind === 'embedded') {
    const { openEmbeddedDatabase } = await import('./db/embedded.ts')
    return openEmbeddedDatabase(settings.folder, mayCreate)
  }
  const { openServerDatabase } = await import('./db/server.ts')
  const connections = Math.min(concurrency + 1, MOST_CONNECTIONS)
  return openServerDatabase(settings.url, connections, queryTimeoutMs)
}

/** Opens the image store. `keepBytes` is how the database keeps an image's bytes, in `db` mode. */
export async function openImageStore(
  settings: StorageSettings,
  keepBytes: (sha256: string, bytes: Uint8Array) => Promise<void>,
): Promise<ImageStore> {
  if (settings.kind === 'db') return createByteaStore(keepBytes)
  const { openS3Store } = await import('./storage/s3-store.ts')
  return openS3Store(settings)
}
