/**
 * Query parameters that are a secret of their own: presigned links of S3, GCS, Azure and CloudFront, and the common
 * names of access tokens. (AWS SigV4 and SigV2, GCS V4 signing, Azure SAS and CloudFront signed URL references.) What
 * Alibaba makes of a picture (`x-oss-process`) is a picture of its own.
 */
const SECRET =
  /^(x-(amz|goog)-.*|x-oss-(?!process$).*|awsaccesskeyid|googleaccessid|ossaccesskeyid|access_?key(_?id)?|sig|sas|hdnts|hdnea|verify|auth|pass(word|wd)?|pwd|api_?key|q-(ak|sign.*|key-time|header-list|url-param-list)|(.*[-_.])?(signature|token|hmac|jwt|secret))$/i

/** A storage service's signature: of one object, until a time. */
const SIGNATURE = /^(sig|signature|(x-(amz|goog|oss)|q)-signature)$/i

/** What belongs to a signature beside it, and without one is a parameter like any other. */
const BELONGINGS: readonly { beside: RegExp; are: RegExp }[] = [
  { beside: SECRET, are: /^expires$/i },
  // CloudFront, and Google's Cloud CDN
  { beside: /^signature$/i, are: /^(policy|key-pair-id|hash-algorithm|keyname|urlprefix)$/i },
  // Azure: the SAS of a service, of an account and of a user
  {
    beside: /^sig$/i,
    are: /^(se|sp|st|sv|sr|ss|si|srt|spr|sip|sdd|ses|scid|saoid|suoid|ske|skt|sks|skv|skoid|sktid|skdutid|sduoid)$/i,
  },
  // How the answer's headers are to be, and which call an AWS SDK made: they choose neither object nor bytes.
  { beside: SIGNATURE, are: /^(response-(cache|content)-.*|response-expires|rsc[cdelt]|x-id)$/i },
]

/** The names that are a secret, or belong to one, among those of a query. */
export function signatureNames(names: readonly string[]): ReadonlySet<string> {
  const belongings = BELONGINGS.filter(({ beside }) => names.some((name) => beside.test(name)))
  const isOne = (name: string) => SECRET.test(name) || belongings.some(({ are }) => are.test(name))
  return new Set(names.filter(isOne))
}

/** Is it the name of a storage service's signature? */
export function isSignature(name: string): boolean {
  return SIGNATURE.test(name)
}

/**
 * A path as the signers of S3 and GCS spell it: signers differ in what they percent-encode, and mean one object. A slash
 * and a plus that came encoded stay so: to some servers they are other than plain ones.
 */
export function asSigned(path: string): string {
  return path
    .split('/')
    .map((part) =>
      part
        .split(/(%2[fFbB]|\+)/)
        .map((text, n) => (n % 2 === 1 ? text.toUpperCase() : encoded(text)))
        .join(''),
    )
    .join('/')
}

/** RFC 3986: all but letters, digits, `-`, `.`, `_` and `~`; text that is not percent-encoded in full stays as it is. */
function encoded(text: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(text)).replace(
      /[!'()*]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  } catch {
    return text
  }
}
