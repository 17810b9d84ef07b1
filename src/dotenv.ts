import { config } from 'dotenv'
import { ConfigError, messageOf } from './errors.ts'

/**
 * Adds what `.env` in the working directory sets to the environment, in place, so that the AWS SDK and the proxies see
 * it too. The environment wins; empty means unset. No `.env` is no problem.
 * @throws {ConfigError} for one that cannot be read
 */
export function loadDotenv(env: Record<string, string | undefined>): void {
  const read: Record<string, string> = {}
  const { error } = config({ quiet: true, processEnv: read })
  if (error !== undefined && error.code !== 'ENOENT') {
    throw new ConfigError([{ name: '.env', message: `cannot be read: ${messageOf(error)}.` }])
  }
  for (const [name, value] of Object.entries(read)) {
    // Meant for programs under development: it has libraries print what they send.
    if (!env[name] && name !== 'DEBUG') env[name] = value
  }
}
