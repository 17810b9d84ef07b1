import type { ConfigProblem } from './errors.ts'

const OWN_AUTHORITY = 'name your own authority in NODE_EXTRA_CA_CERTS=<file>'

/**
 * Settings that would have certificates taken without a look at them, where anybody between could read keys and
 * passwords: none is obeyed in silence. `sslmode=disable` is no such setting: it says openly that there is no TLS.
 */
export function tlsProblems(env: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    const message = `switches off the check of every server's certificate. Unset it; ${OWN_AUTHORITY}.`
    problems.push({ name: 'NODE_TLS_REJECT_UNAUTHORIZED=0', message })
  }
  const instead = `Write sslmode=verify-full in DATABASE_URL; ${OWN_AUTHORITY}, or add sslrootcert=<file>.`
  const url = env['DATABASE_URL']?.trim() ?? ''
  const parameters = URL.canParse(url) ? new URL(url).searchParams : new URLSearchParams()
  if ([...parameters.getAll('sslmode'), ...parameters.getAll('ssl')].includes('no-verify')) {
    const message = `asks for TLS without a check of the certificate (no-verify). ${instead}`
    problems.push({ name: 'DATABASE_URL', message })
  }
  if (env['PGSSLMODE'] === 'no-verify' && /^postgres/.test(url)) {
    const message = `asks for TLS without a check of the certificate. Unset it. ${instead}`
    problems.push({ name: 'PGSSLMODE=no-verify', message })
  }
  return problems
}
