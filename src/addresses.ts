import { existsSync } from 'node:fs'
import { z } from 'zod'

export type DatabaseSettings =
  | { kind: 'embedded'; folder: string }
  | { kind: 'server'; url: string }

const CLOUD_HOST = 'api.platerecognizer.com'
/** The vendor's own API. */
export const CLOUD_URL = `https://${CLOUD_HOST}/v1/plate-reader/`

/** Takes `http://host:8080`, `…/v1` and `…/v1/plate-reader` too: appending to a given base is the commonest mistake. */
export function readApiUrl(
  text: string,
  context: z.RefinementCtx,
): { url: string; isCloud: boolean } {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    context.addIssue('must be an http(s) address, such as http://localhost:8080/v1/plate-reader/')
    return z.NEVER
  }
  const url = new URL(text)
  const base = url.pathname.replace(/\/+$/, '').replace(/\/v1(\/plate-reader)?$/, '')
  url.pathname = `${base}/v1/plate-reader/`
  return { url: url.href, isCloud: url.hostname === CLOUD_HOST }
}

/** A server's URL, or the embedded database's folder. */
export function readDatabaseUrl(text: string, context: z.RefinementCtx): DatabaseSettings {
  if (text.startsWith('pglite:')) {
    const folder = text.slice('pglite:'.length)
    if (folder !== '') return { kind: 'embedded', folder }
    context.addIssue('names no folder; write pglite:<folder>, such as pglite:./plates')
    return z.NEVER
  }
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) {
    context.addIssue(
      'must be postgresql://user:password@host/database or pglite:<folder>. Special characters in a password are written %40 for @, %2F for /, %23 for #.',
    )
    return z.NEVER
  }
  const certificate = new URL(text).searchParams.get('sslrootcert')
  if (certificate !== null && certificate !== 'system' && !existsSync(certificate)) {
    context.addIssue(`names sslrootcert=${certificate}, which does not exist.`)
    return z.NEVER
  }
  return { kind: 'server', url: text }
}
