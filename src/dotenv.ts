import { config } from 'dotenv'

/**
 * Adds what `.env` in the working directory sets to the environment, in place, so that the AWS SDK and the proxies see
 * it too. The environment wins; empty means unset. No `.env` is no problem, an unreadable one is.
 */
export function withDotenv(
  env: Record<string, string | undefined>,
): Record<string, string | undefined> {
  const read: Record<string, string> = {}
  const { error } = config({ quiet: true, processEnv: read })
  if (error !== undefined && error.code !== 'ENOENT') throw error
  for (const [name, value] of Object.entries(read)) {
    if (!env[name]) env[name] = value
  }
  return env
}
