import type { ApiSettings } from './config.ts'
import { type ConfigProblem, LookupError } from './errors.ts'
import { addressesOf, guardOfApi, type RefusedTargetError } from './reach.ts'

/** What is wrong with an http address of the API, when its host is one of the internet. */
export const INSECURE: ConfigProblem = {
  name: 'SNAPSHOT_API_URL',
  message:
    'is http and leads to a public address: anybody on the way could read the API key. Write https; --allow-insecure-api sends it all the same.',
}

/** Would the key go unencrypted to a public host, as its name leads now? The connection itself is guarded too. */
export async function sendsKeyInClear(api: ApiSettings): Promise<boolean> {
  const { protocol, hostname } = new URL(api.url)
  const refuses = guardOfApi(api)
  // Most have nothing to look up.
  if (refuses({ protocol, hostname, address: undefined }) === undefined) return false
  const addresses = await addressesOf(hostname.replace(/^\[(.*)\]$/, '$1'))
  return addresses.some((address) => refuses({ protocol, hostname, address }) !== undefined)
}

/** A request to the API that was not made for that. */
export function keyInClear(refused: RefusedTargetError): LookupError {
  const message = `The API key was not sent: SNAPSHOT_API_URL is http, and leads to ${refused.message}.`
  const hint =
    'Write https in SNAPSHOT_API_URL; --allow-insecure-api sends the key for anybody on the way to read.'
  return new LookupError('api_refused', message, { hint, cause: refused })
}
