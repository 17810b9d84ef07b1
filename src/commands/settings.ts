import {
  type Environment,
  type Needs,
  readSettings,
  type S3Settings,
  type Settings,
  type StorageSettings,
} from '../config.ts'
import { ConfigError, type ConfigProblem } from '../errors.ts'
import { INSECURE, sendsKeyInClear } from '../insecure-api.ts'

/**
 * The settings, when they and the flags are right.
 * @param flagProblems what was wrong with the flags: all problems are reported together
 * @throws {ConfigError} naming every problem
 */
export async function requireSettings(
  env: Environment,
  needs: Needs,
  flagProblems: readonly ConfigProblem[] = [],
): Promise<Settings> {
  const read = readSettings(env, needs)
  const problems = [...('problems' in read ? read.problems : []), ...flagProblems]
  const { storage } = 'settings' in read ? read.settings : read
  if (needs.storage) problems.push(...(await credentialProblems(storage, env)))
  if (needs.api && 'settings' in read && (await sendsKeyInClear(read.settings.api)))
    problems.push(INSECURE)
  if (problems.length > 0 || !('settings' in read)) throw new ConfigError(problems)
  return read.settings
}

/**
 * The bucket of the settings, whatever `STORE_IMAGES` says: earlier runs may have kept images there.
 * @throws {ConfigError} when S3 is not set up, naming what is missing
 */
export async function requireS3(env: Environment): Promise<S3Settings> {
  const meant = { ...env, STORE_IMAGES: 's3' }
  const { storage } = await requireSettings(meant, { api: false, storage: true })
  if (storage.kind === 's3') return storage
  throw new ConfigError([{ name: 'S3_BUCKET', message: 'is not set. Name the bucket.' }])
}

/** Is there anything to sign requests to S3 with? Asked only where the environment names no keys. */
async function credentialProblems(
  storage: StorageSettings,
  env: Environment,
): Promise<ConfigProblem[]> {
  const hasKey = Boolean(env['AWS_ACCESS_KEY_ID']) || Boolean(env['AWS_SECRET_ACCESS_KEY'])
  if (storage.kind !== 's3' || hasKey) return []
  const { missingCredentials } = await import('../storage/s3-client.ts')
  const said = await missingCredentials(storage)
  if (said === undefined) return []
  const message = `are not set, and no profile or role gives credentials (${said}). Set both, or keep the images in the database: STORE_IMAGES=db`
  return [{ name: 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY', message }]
}
