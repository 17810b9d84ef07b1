import { systemCodeOf } from './errors.ts'

/**
 * What to do about a server whose certificate was refused, by Node's codes (those of OpenSSL's `X509_V_ERR_…`); undefined
 * when something else was wrong.
 * @param file where else than in NODE_EXTRA_CA_CERTS a private authority's certificate may be named
 */
export function certificateHint(thrown: unknown, file?: string): string | undefined {
  const code = systemCodeOf(thrown) ?? ''
  if (/SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code)) {
    const where = `NODE_EXTRA_CA_CERTS=<file> in the environment${file === undefined ? '' : `, or with ${file}`}`
    return `The server's certificate is not signed by an authority that this machine knows. If it is your own, give the authority's certificate with ${where}.`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return "The server's certificate is for another name. Use the name that it is for, or give the server one for this name."
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return "The server's certificate is not valid today. Renew it, and check this machine's clock."
  }
  return /^CERT_|_CERT_|_CRL_/.test(code)
    ? "The server's certificate is not to be trusted. Give the server another one."
    : undefined
}
