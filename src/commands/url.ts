import type { Database } from '../db/database.ts'
import { findImage } from '../db/find-image.ts'
import { unlessAborted } from '../db/pages.ts'
import { requireThere } from '../db/schema.ts'
import { ConfigError, ImageError } from '../errors.ts'
import { endOfLink } from '../link-end.ts'
import type { ImageName } from '../option-schemas.ts'
import { createRefreshed, refreshedLine, refreshedRecord, refreshLinks } from '../refresh-links.ts'
import { errorRecord } from '../run-records.ts'
import { stopLines } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import type { S3Store } from '../storage/s3-store.ts'
import { openDatabase } from '../stores.ts'
import { exitCodeOf, stoppedBy } from '../tally.ts'
import { readUrlOptions, type UrlOptions } from '../viewing-options.ts'
import { requireS3, requireSettings } from './settings.ts'

/**
 * `plate-snapshot url`: fresh presigned links to images, or, with `--refresh`, in the rows that hold links which end soon.
 * @returns the exit code
 */
export async function url(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readUrlOptions(given)
  const settings = await requireSettings(shell.env, { api: false, storage: false }, problems)
  if (options === undefined) throw new ConfigError(problems)
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireThere(database)
    return options.refresh === undefined
      ? await unlessAborted(shell.signal, () => printLinks(options, database, shell))
      : await refresh(options.refresh, options.json, database, shell)
  } finally {
    await database.close()
  }
}

async function printLinks(
  { imageNames, expires, json }: UrlOptions,
  database: Database,
  shell: Shell,
): Promise<number> {
  let signer: Signer | undefined
  let failed = 0
  try {
    for (const name of imageNames) {
      shell.signal.throwIfAborted()
      try {
        const image = await findImage(name, database)
        if (image.object === undefined) throw noObject(image.name)
        signer ??= await openSigner(shell)
        const link = await signer.store.presign(image.object, expires ?? signer.expiresS)
        shell.out(json ? JSON.stringify(linkRecord(name, link)) : link)
      } catch (thrown) {
        if (!(thrown instanceof ImageError)) throw thrown
        failed += 1
        if (!json) shell.say(stopLines(thrown))
        else shell.out(JSON.stringify({ event: 'url', ...name, error: errorRecord(thrown) }))
      }
    }
  } finally {
    signer?.store.close()
  }
  return exitCodeOf({ failed }, undefined, shell.stoppedBy())
}

/** What signs links, and how long they live when nothing else is said, in seconds. */
interface Signer {
  store: S3Store
  expiresS: number
}

/** S3 is needed, and its settings asked for, only when there is something to sign. */
async function openSigner({ env, say }: Shell): Promise<Signer> {
  const settings = await requireS3(env)
  const { openS3Store } = await import('../storage/s3-store.ts')
  const store = await openS3Store(settings)
  if (store.hasTemporaryCredentials) {
    say('The AWS credentials are temporary: a link ends with them, whatever its own time.')
  }
  return { store, expiresS: settings.urlExpiresS }
}

function linkRecord(name: ImageName, link: string) {
  return { event: 'url', ...name, url: link, expires_at: endOfLink(link)?.toISOString() ?? null }
}

function noObject(name: string): ImageError {
  return new ImageError('no_object', `No object in S3 is known of ${name}.`)
}

async function refresh(
  spanMs: number,
  json: boolean,
  database: Database,
  shell: Shell,
): Promise<number> {
  const { openS3Store } = await import('../storage/s3-store.ts')
  const store = await openS3Store(await requireS3(shell.env))
  try {
    shell.say(`Database: ${database.name}\nImages: ${store.name}`)
    if (store.notice !== undefined) shell.say(store.notice)
    const done = createRefreshed()
    const endsBefore = new Date(Date.now() + spanMs)
    const reason = await refreshLinks(database, store.linkTo, endsBefore, done, shell.signal).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const stopped = reason === undefined ? null : (stoppedBy(reason) ?? 'internal')
    shell.out(json ? JSON.stringify(refreshedRecord(done, stopped)) : refreshedLine(done))
    if (reason !== undefined) shell.say(stopLines(reason))
    return exitCodeOf({ failed: 0 }, reason, shell.stoppedBy())
  } finally {
    store.close()
  }
}
