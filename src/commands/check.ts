import { readAccount } from '../account.ts'
import type { Settings } from '../config.ts'
import { requireSchema } from '../db/schema.ts'
import { errorRecord } from '../run-records.ts'
import { visible } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { openDatabase, openImageStore } from '../stores.ts'
import { requireSettings } from './settings.ts'

/** One thing that was tried, and what came of it. */
interface Finding {
  what: 'api' | 'database' | 'storage'
  ok: boolean
  said: string
  code?: string
  hint?: string
}

interface Given {
  json?: boolean
  allowInsecureApi?: boolean
}

/** `plate-snapshot check`: does everything a run needs answer? Spends no lookup. @returns 0 or 3 */
export async function check(given: Given, shell: Shell): Promise<number> {
  const { allowInsecureApi = false } = given
  const needs = { api: true, storage: true, allowInsecureApi }
  const settings = await requireSettings(shell.env, needs)
  const findings = await Promise.all([
    attempt('api', () => checkApi(settings)),
    attempt('database', () => checkDatabase(settings)),
    attempt('storage', () => checkStorage(settings)),
  ])
  for (const finding of findings) {
    shell.out(given.json ? JSON.stringify({ event: 'check', ...finding }) : lineOf(finding))
  }
  return findings.every(({ ok }) => ok) ? 0 : 3
}

async function attempt(what: Finding['what'], work: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, said: await work() }
  } catch (thrown) {
    const { message, ...error } = errorRecord(thrown)
    return { what, ok: false, said: message, ...error }
  }
}

async function checkApi({ api }: Settings): Promise<string> {
  const { kind, used, allowed, resetsOn, version } = await readAccount(api)
  const host = new URL(api.url).host
  const name = kind === 'sdk' ? `SDK ${version ?? ''} at ${host} answers` : `${host} takes the key`
  if (used === undefined || allowed === undefined)
    return `${name}; it does not say how many lookups are left.`
  const until = resetsOn === undefined ? '' : ` until ${resetsOn}`
  return `${name}; ${Math.max(0, allowed - used)} of ${allowed} lookups are left${until}.`
}

async function checkDatabase({ database: settings }: Settings): Promise<string> {
  const database = await openDatabase(settings, { mayCreate: false })
  try {
    if (database.isNew) return `${database.name} is not there yet; the first run makes it.`
    await requireSchema(database)
    return `${database.name} answers and its schema is current.`
  } finally {
    await database.close()
  }
}

async function checkStorage({ storage }: Settings): Promise<string> {
  const images = await openImageStore(storage, async () => {})
  try {
    await images.check()
    const how =
      storage.kind === 's3'
        ? ' can be written and read back.'
        : ' is where images go (STORE_IMAGES=db).'
    const notice = images.notice === undefined ? '' : ` ${images.notice}`
    return `${images.name}${how}${notice}`
  } finally {
    images.close()
  }
}

function lineOf({ what, ok, said, hint }: Finding): string {
  const line = `${ok ? 'ok    ' : 'FAILED'}  ${what.padEnd(8)}  ${visible(said)}`
  return hint === undefined ? line : `${line} ${hint}`
}
