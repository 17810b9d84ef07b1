/**
 * Query parameters that are a secret of their own: presigned links of S3, GCS, Azure and CloudFront, and the common
 * names of access tokens. (AWS SigV4 and SigV2, GCS V4 signing, Azure SAS and CloudFront signed URL references.)
 */
const SECRET_PARAMETERS =
  /^(x-(amz|goog|oss)-.*|awsaccesskeyid|googleaccessid|ossaccesskeyid|access_?key(_?id)?|sig|sas|hdnts|hdnea|verify|auth|pass(word|wd)?|pwd|api_?key|q-(ak|sign.*|key-time|header-list|url-param-list)|(.*[-_.])?(signature|token|hmac|jwt|secret))$/i
/** What belongs to a signature, and without one is a parameter like any other. */
const SIGNED_PARAMETERS =
  /^(expires|policy|key-pair-id|se|sp|st|sv|sr|spr|sip|ske|skt|sks|skv|skoid|sktid)$/i
const SIGNATURE = /^(signature|sig)$/i

/** `file:`, `data:`, `ftp://` and the like; a path such as `C:\x` has one letter only and is none. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i

/** The URL scheme of a line in lower case, or undefined when the line is a path. */
export function schemeOf(text: string): string | undefined {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return undefined
  // A file may be called `12:30.jpg` or `cam:1.jpg`: only `x://` and the two schemes that go without slashes are URLs.
  return text.includes('://') || scheme === 'data' || scheme === 'file' ? scheme : undefined
}

/** A line of the images file fit to be shown and kept: URL credentials and signature parameters removed. */
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
  const isSigned = names.some((name) => SIGNATURE.test(name))
  const isSecret = (name: string) =>
    SECRET_PARAMETERS.test(name) || (isSigned && SIGNED_PARAMETERS.test(name))
  // `#access_token=…` never reaches the server, and tells nothing about the image.
  const isSecretFragment = /(token|key|secret|signature)=/i.test(url.hash)
  // A proxy of images is given the address of the image, signature and all.
  const shown = (value: string) => (schemeOf(value) === undefined ? value : redactSource(value))
  const hasSecrets =
    names.some(isSecret) || [...url.searchParams].some(([, value]) => shown(value) !== value)
  if (url.username === '' && url.password === '' && !hasSecrets && !isSecretFragment) return text
  if (isSecretFragment) url.hash = ''
  url.username = ''
  url.password = ''
  // All at once: to delete one of thousands writes the whole URL anew.
  if (hasSecrets) {
    const kept = [...url.searchParams].filter(([name]) => !isSecret(name))
    url.search = new URLSearchParams(kept.map(([name, value]) => [name, shown(value)])).toString()
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
