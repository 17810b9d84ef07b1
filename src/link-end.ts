import { z } from 'zod'

type Parameters = ReadonlyMap<string, string>

/**
 * When a presigned link ends; undefined for what is none, and for a time that is not spelled as its service spells it.
 * Names of parameters in any case, as compatible servers take them; one that comes twice is not judged.
 */
export function endOfLink(link: string): Date | undefined {
  if (!URL.canParse(link)) return undefined
  const given = new Map<string, string>()
  const twice = new Set<string>()
  for (const [name, value] of new URL(link).searchParams) {
    const key = name.toLowerCase()
    if (given.has(key)) twice.add(key)
    given.set(key, value)
  }
  for (const name of twice) given.delete(name)
  const ms = ENDS.map((endOf) => endOf(given)).find((end) => end !== undefined)
  const end = new Date(ms ?? Number.NaN)
  return Number.isNaN(end.getTime()) ? undefined : end
}

/** One way of telling the end each, in milliseconds since 1970. */
const ENDS: readonly ((given: Parameters) => number | undefined)[] = [
  // AWS Signature Version 4 and those like it: a date, and a life in seconds ("Authenticating Requests: Using Query
  // Parameters"; Google: "Canonical requests", V4; Alibaba: "Add a V4 signature to the URL").
  (given) => datedEnd(given, 'x-amz'),
  (given) => datedEnd(given, 'x-goog'),
  (given) => datedEnd(given, 'x-oss'),
  // Its Version 2 and those like it: the end, in seconds since 1970 (AWS: "Signing and Authenticating REST Requests").
  (given) =>
    VERSION_2.some((name) => given.has(name)) ? secondsOf(given.get('expires')) : undefined,
  // CloudFront: "Create a signed URL using a custom policy".
  (given) => (given.has('key-pair-id') ? policyEnd(given.get('policy')) : undefined),
  // Azure: "Create a service SAS"; that of a user ends with the key it was made with ("Create a user delegation SAS").
  (given) => (given.has('sig') ? earliest(given.get('se'), given.get('ske')) : undefined),
]

/** One of them comes with every signature of the kind that tells its end as `Expires`. */
const VERSION_2 = ['awsaccesskeyid', 'googleaccessid', 'ossaccesskeyid', 'key-pair-id', 'keyname']

function datedEnd(given: Parameters, service: string): number | undefined {
  const date = given.get(`${service}-date`) ?? ''
  const life = secondsOf(given.get(`${service}-expires`))
  // `20260131T083000Z`
  const [, year, month, day, h, min, s] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? []
  if (year === undefined || life === undefined) return undefined
  return Date.parse(`${year}-${month}-${day}T${h}:${min}:${s}Z`) + life
}

/** Whole seconds, in milliseconds. */
function secondsOf(text = ''): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) * 1_000 : undefined
}

/** A day, or a time of any precision that says of which zone it is. */
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/

function earliest(...times: readonly (string | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  if (known.length === 0 || !known.every((time) => ISO.test(time))) return undefined
  return Math.min(...known.map((time) => Date.parse(time)))
}

const policySchema = z.object({
  Statement: z.tuple([
    z.object({
      Condition: z.object({ DateLessThan: z.object({ 'AWS:EpochTime': z.number() }) }),
    }),
  ]),
})

/** Of JSON in base64, with `-`, `_` and `~` for `+`, `=` and `/`. */
function policyEnd(policy = ''): number | undefined {
  const base64 = policy.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/')
  try {
    const { Statement } = policySchema.parse(JSON.parse(Buffer.from(base64, 'base64').toString()))
    return Statement[0].Condition.DateLessThan['AWS:EpochTime'] * 1_000
  } catch {
    return undefined
  }
}
