/** Secrets by what they are. Each is long enough to be nowhere by chance, in any spelling. */
export type Secrets = Readonly<Record<string, string>>

/**
 * A text that is nowhere else, with characters that URLs, JSON and base64 spell otherwise. As it is, it can be a key, the
 * password of a role, or, percent-encoded, a part of a URL.
 */
export function markOf(name: string): string {
  return `${name}/w@rd+%?"${name.length}>~=mark`
}

/** Every way in which a secret may be written into an output, a row or a file. */
export function spellingsOf(secret: string): Record<string, Buffer> {
  const percent = encodeURIComponent(secret)
  const inForm = new URLSearchParams({ a: secret }).toString().slice(2)
  const texts: Record<string, string> = {
    'as it is': secret,
    'percent-encoded': percent,
    'percent-encoded in small letters': inLowerHex(percent),
    'percent-encoded twice': encodeURIComponent(percent),
    'as in a form': inForm,
    'as in an address': encodeURI(secret),
    'as in JSON': JSON.stringify(secret).slice(1, -1),
    'as in JSON within JSON': JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    'as in HTML': secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('>', '&gt;'),
    'in hex': Buffer.from(secret).toString('hex'),
    ...inBase64(secret),
  }
  return Object.fromEntries(Object.entries(texts).map(([how, text]) => [how, Buffer.from(text)]))
}

/** What of these secrets is in an output, a file or the like, and how it is spelled: `the API key, in base64`. */
export function findSecrets(where: string | Uint8Array, secrets: Secrets): string[] {
  const bytes = Buffer.from(where)
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(spellingsOf(secret))
      .filter(([, spelling]) => bytes.includes(spelling))
      .map(([how]) => `${name}, ${how}`),
  )
}

function inLowerHex(percentEncoded: string): string {
  return percentEncoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
}

/**
 * Alone or after one or two bytes of something else (`user:secret`), in both alphabets. The characters at the ends that are
 * made of the neighbours' bits too are left out.
 */
function inBase64(secret: string): Record<string, string> {
  const spellings: Record<string, string> = {}
  for (const [before, first] of [0, 2, 3].entries()) {
    const bytes = Buffer.from('\0'.repeat(before) + secret)
    const last = Math.floor((bytes.length * 8) / 6)
    spellings[`in base64 after ${before}`] = bytes.toString('base64').slice(first, last)
    spellings[`in base64url after ${before}`] = bytes.toString('base64url').slice(first, last)
  }
  return spellings
}
