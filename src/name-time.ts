import { pathOf } from './source.ts'
import { momentOf, offsetMinutes } from './zoned-time.ts'

/** What a pattern's letters stand for. */
const TOKENS: Readonly<Record<string, string>> = {
  YYYY: '\\d{4}',
  YY: '\\d{2}',
  MM: '\\d{2}',
  DD: '\\d{2}',
  HH: '\\d{2}',
  mm: '\\d{2}',
  ss: '\\d{2}',
  SSS: '\\d{3}',
  // Seconds and milliseconds since 1970: no part of a longer number.
  X: '(?<!\\d)\\d{10}(?!\\d)',
  x: '(?<!\\d)\\d{13}(?!\\d)',
  Z: 'Z|[+-]\\d{2}:?\\d{2}',
}

/** A token, text in brackets, which stands for itself, or one character. */
const PARTS = /YYYY|YY|MM|DD|HH|mm|ss|SSS|[XxZ]|\[[^\]]*\]|./gsu
const EXAMPLE = 'such as YYYYMMDD-HHmmss'

/** How names tell times. */
export interface NamePattern {
  expression: RegExp
  /** Parts of the path that it is about, from its end: one more than it has slashes. */
  depth: number
  /** It tells the moment by itself, whatever the zone. */
  hasZone: boolean
}

/** A pattern ready to be looked for, or what is wrong with it, as the end of a sentence. */
export function readNamePattern(text: string): NamePattern | { problem: string } {
  const tokens = new Set<string>()
  const unknown: string[] = []
  const parts = (text.match(PARTS) ?? []).map((part) => {
    const token = TOKENS[part]
    if (token === undefined) {
      if (/^[\p{L}\p{N}]$/u.test(part) && part !== 'T') unknown.push(part)
      return literal(part.length > 1 ? part.slice(1, -1) : part)
    }
    // What comes twice, as in YYYY/MM/DD/YYYYMMDD-HHmmss, is twice the same.
    const isAgain = tokens.has(part)
    tokens.add(part)
    return isAgain ? `\\k<${part}>` : `(?<${part}>${token})`
  })
  if (unknown.length > 0) {
    const problem = `holds ${[...new Set(unknown)].join(', ')}, which is no part of a time. Leave it out: the time is found anywhere in a name; or put it in brackets, such as [cam]`
    return { problem }
  }
  const isWhole =
    (tokens.has('YYYY') || tokens.has('YY')) &&
    ['MM', 'DD', 'HH'].every((token) => tokens.has(token))
  if (!isWhole && !tokens.has('X') && !tokens.has('x')) {
    const all = 'YYYY (or YY), MM, DD and HH, or X or x (seconds or milliseconds since 1970)'
    return { problem: `must hold ${all}, ${EXAMPLE}` }
  }
  return {
    expression: new RegExp(parts.join(''), 'gu'),
    depth: text.split('/').length,
    hasZone: ['X', 'x', 'Z'].some((token) => tokens.has(token)),
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

/**
 * The times that a name tells, in milliseconds since 1970, from its beginning on.
 * @param source a path or a URL
 * @param timezone of names that do not tell theirs; without it their time is not known
 */
export function* nameMoments(
  source: string,
  { expression, depth }: NamePattern,
  timezone: string | undefined,
): Generator<number> {
  const name = pathOf(source).replaceAll('\\', '/').split('/').slice(-depth).join('/')
  const search = new RegExp(expression)
  for (let match = search.exec(name); match !== null; match = search.exec(name)) {
    const moment = momentIn(match.groups ?? {}, timezone)
    if (moment !== undefined) yield moment
    // The next may begin within this one.
    search.lastIndex = match.index + 1
  }
}

function momentIn(
  { YYYY, YY, MM, DD, HH, mm, ss, SSS, X, x, Z }: Record<string, string | undefined>,
  timezone: string | undefined,
): number | undefined {
  if (x !== undefined) return Number(x)
  if (X !== undefined) return Number(X) * 1_000 + Number(SSS ?? 0)
  const zone = Z === undefined ? timezone : offsetMinutes(Z)
  if (zone === undefined) return undefined
  const wall = {
    ...{ year: Number(YYYY ?? `20${YY}`), month: Number(MM), day: Number(DD) },
    ...{ hour: Number(HH), minute: Number(mm ?? 0), second: Number(ss ?? 0), ms: Number(SSS ?? 0) },
  }
  return momentOf(wall, zone)
}
