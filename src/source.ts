import { asSigned, isSignature, signatureNames } from './link-parameters.ts'

/** `file:`, `data:`, `ftp://` and the like; a path such as `C:\x` has one letter only and is none. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i

/** The URL scheme of a line in lower case, or undefined when the line is a path. */
export function schemeOf(text: string): string | undefined {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return undefined
  // A file may be called `12:30.jpg` or `cam:1.jpg`: only `x://` and the two schemes that go without slashes are URLs.
  return text.includes('://') || scheme === 'data' || scheme === 'file' ? scheme : undefined
}

/**
 * A line of the images file fit to be shown and kept: URL credentials and signature parameters removed. It is the source's
 * identity in the ledger: the same object gives the same text, however often it is signed anew.
 */
export function redactSource(text: string): string {
  const scheme = schemeOf(text)
  if (scheme === undefined) return redactText(text)
  if (scheme === 'data') return `${redactText(text).slice(0, 32)}…`
  // Why it cannot be parsed may be a password with a `/` or an `@` in it.
  if (!URL.canParse(text)) {
    return text.replace(/^([^/]*\/\/)(?:[^?#]*|[^/]*)@/, '$1').replace(/[?#].*$/s, '')
  }
  const url = new URL(text)
  // `url: https://…` is a URL too, of no host.
  if (url.host === '') return redactText(text)
  const names = [...url.searchParams.keys()]
  const secrets = signatureNames(names)
  // `#access_token=…` never reaches the server, and tells nothing about the image.
  const isSecretFragment = /(token|key|secret|signature)=/i.test(url.hash)
  // A proxy of images is given the address of the image, signature and all.
  const shown = (value: string) => (schemeOf(value) === undefined ? value : redactSource(value))
  const hasSecrets =
    secrets.size > 0 || [...url.searchParams].some(([, value]) => shown(value) !== value)
  if (url.username === '' && url.password === '' && !hasSecrets && !isSecretFragment) return text
  if (isSecretFragment) url.hash = ''
  url.username = ''
  url.password = ''
  // All at once: to delete one of thousands writes the whole URL anew.
  if (hasSecrets) {
    const kept = [...url.searchParams].filter(([name]) => !secrets.has(name))
    const query = new URLSearchParams(kept.map(([name, value]) => [name, shown(value)]))
    // Whoever signs an object, and however often: it is one source.
    if (names.some(isSignature)) {
      query.sort()
      url.pathname = asSigned(url.pathname)
    }
    url.search = query.toString()
  }
  return url.href
}

/** What `redactSource` leaves out of a URL, as it is sent. */
export function secretPartsOf(text: string): string[] {
  if (!URL.canParse(text)) return []
  const url = new URL(text)
  const shown = new URLSearchParams(URL.parse(redactSource(text))?.search)
  const values = [...url.searchParams].filter(([name]) => !shown.has(name))
  return [decoded(url.password), ...values.map(([, value]) => value)]
}

/** Percent-encoding undone; text that is not percent-encoded in full is taken as it stands. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A line that is no URL may hold one all the same: in quotes, after a word, with backslashes, or without its `https://`. */
function redactText(text: string): string {
  const shown = text.replace(/(https?:[\\/]+|:[\\/]{2,})[^\\/\s@]*@/gi, '$1')
  const query = shown.search(/[?#]/)
  if (query < 0) return shown
  // A file may be called `a.jpg?token=1`, and hardly `a.jpg?X-Amz-Signature=1`.
  const secret = /https?:[\\/]/i.test(shown) ? /=/ : /signature=/i
  return secret.test(shown.slice(query)) ? shown.slice(0, query) : shown
}

/** A path as it is, and the path of a URL, decoded: what names of cameras and times are looked for in. */
export function pathOf(text: string): string {
  const url = schemeOf(text) === undefined ? undefined : URL.parse(text)
  return url ? decoded(url.pathname) : text
}

/** The last part of a path or URL in plain ASCII, as the file name of an upload (others' effects are undocumented). */
export function uploadNameOf(source: string): string {
  const path = source.replace(/[?#].*$/s, '')
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return name.replace(/[^A-Za-z0-9._-]+/g, '_').slice(-100) || 'upload'
}
