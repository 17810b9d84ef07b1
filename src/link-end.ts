/**
 * When a presigned S3 link ends; undefined for what is none. Signature Version 4 tells its date and its life in seconds,
 * Version 2 the end, in seconds of the epoch (AWS: "Authenticating Requests: Using Query Parameters"; "Signing and
 * Authenticating REST Requests"). Names of parameters in any case, as compatible servers take them.
 */
export function endOfLink(link: string): Date | undefined {
  if (!URL.canParse(link)) return undefined
  const parameters = [...new URL(link).searchParams]
  const { 'x-amz-date': date, ...given }: Record<string, string> = Object.fromEntries(
    parameters.map(([name, value]) => [name.toLowerCase(), value]),
  )
  if (date !== undefined) return toDate(signedAt(date) + Number(given['x-amz-expires']) * 1_000)
  if (given['awsaccesskeyid'] === undefined) return undefined
  return toDate(Number(given['expires']) * 1_000)
}

/** `20260131T083000Z` */
function signedAt(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function toDate(ms: number): Date | undefined {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? undefined : date
}
