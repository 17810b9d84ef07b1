import { decoded } from './source.ts'

/** Tokens of the cloud have 40 characters. What is too short to be a secret is left alone: it may be any word. */
const SHORTEST = 8
const HIDDEN = '…'

/** An SDK may name the license key that it runs with, which this tool is never told. */
const LICENSE_KEY =
  /(licen[cs]e[ _-]?key\\?["']?(?:\s*[:=]\s*\\?["']?|\s+["']?(?=\S*\d)))[^\s\\"',;<>}]+/gi

/**
 * A text of others' making (an answer, a driver's complaint, a trace) without these secrets, however they are spelled in
 * it: plain, percent-encoded, escaped as in JSON, in base64, alone or within `user:secret`. What it calls a license key
 * goes too.
 */
export function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  const long = secrets.filter((secret = '') => secret.length >= SHORTEST)
  const plain = long.length === 0 ? text : text.replace(patternOf(long), HIDDEN)
  return plain.replace(LICENSE_KEY, `$1${HIDDEN}`)
}

/** Put together, the pattern takes longer than the search: of the same key it is asked for at every answer. */
let last = { secrets: '', pattern: /$^/g }

function patternOf(secrets: readonly (string | undefined)[]): RegExp {
  const joined = secrets.join('\n')
  if (last.secrets !== joined) {
    const spelled = secrets.flatMap((secret = '') => [anySpelling(secret), ...inBase64(secret)])
    last = { secrets: joined, pattern: new RegExp(spelled.join('|'), 'g') }
  }
  return last.pattern
}

/** Settings that are a secret as they stand. */
const SECRET_SETTINGS = [
  'PLATE_API_KEY',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'PGPASSWORD',
  'LICENSE_KEY',
  'PLATE_LICENSE_KEY',
]
/** Settings that are addresses, and may hold a password. */
const ADDRESSES = ['DATABASE_URL', 'SNAPSHOT_API_URL', 'AWS_ENDPOINT_URL']
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']

/** The secrets of an environment, for a text that may hold any of them. */
export function secretsIn(env: Readonly<Record<string, string | undefined>>): string[] {
  const passwords = [...ADDRESSES, ...PROXIES].flatMap((name) => passwordsIn(env[name] ?? ''))
  return [...SECRET_SETTINGS.flatMap((name) => env[name]?.trim() || []), ...passwords]
}

/** As written, and as meant. An address that cannot be parsed may have a password with a `/` or an `@` in it. */
function passwordsIn(address: string): string[] {
  const written = /^[^:]*:\/\/[^:/?#]*:(.*)@/.exec(address.trim())?.[1]
  return written === undefined ? [] : [written, decoded(written)]
}

/** Matches the secret with each of its characters as it is, as `%2f`, as `\/` or as `\u002f`. */
function anySpelling(secret: string): string {
  return [...Buffer.from(secret)]
    .map((byte) => {
      const hex = byte.toString(16).padStart(2, '0')
      const digits = [...hex].map((digit) => `[${digit}${digit.toUpperCase()}]`).join('')
      const escaped = `%(?:25)*${digits}|\\\\{1,3}u00${digits}`
      // Other letters than those of ASCII are in no key, and in a password they come percent-encoded.
      if (byte < 0x20 || byte > 0x7e) return `(?:${escaped})`
      return `(?:\\\\{0,3}\\x${hex}${byte === 0x20 ? '|\\\\+' : ''}|${escaped})`
    })
    .join('')
}

/** What base64 makes of the secret at each of the three places where it may begin within a group of three bytes. */
function inBase64(secret: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)])
    // The characters at both ends are made of the neighbours' bits too.
    const first = Math.ceil((before * 8) / 6)
    const whole = bytes.toString('base64url').slice(first, Math.floor((bytes.length * 8) / 6))
    return whole.replaceAll('-', '(?:[+-]|%2[bB])').replaceAll('_', '(?:_|\\\\?/|%2[fF])')
  })
}
