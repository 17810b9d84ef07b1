import type { Env, StorageSettings } from './config.ts'
import type { ConfigProblem } from './errors.ts'

/** Where images are to go. What is wrong is set all the same: a mistyped DATABASE_URL or bucket does not hide what else S3 lacks. */
export function readStorage(env: Env, wrong: Set<string>): StorageSettings {
  const isEmbedded = env.DATABASE_URL.kind === 'embedded' && !wrong.has('DATABASE_URL')
  const isDefaultDb = isEmbedded && env.S3_BUCKET === undefined && !wrong.has('S3_BUCKET')
  const kind = env.STORE_IMAGES ?? (isDefaultDb ? 'db' : 's3')
  if (kind === 'db') return { kind }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
  const sessionToken = env.AWS_SESSION_TOKEN
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined
  return {
    kind,
    bucket: env.S3_BUCKET ?? '',
    region: env.AWS_REGION,
    endpoint: env.AWS_ENDPOINT_URL,
    credentials: hasKeys
      ? { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
      : undefined,
    urlStyle: env.S3_URL_STYLE,
    urlExpiresS: env.S3_URL_EXPIRES,
  }
}

/** What S3 lacks. */
export function storageProblems(env: Env, wrong: Set<string>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (env.S3_BUCKET === undefined && !wrong.has('S3_BUCKET')) {
    const message =
      'is not set. Name the bucket for the images, or keep them in the database: STORE_IMAGES=db'
    problems.push({ name: 'S3_BUCKET', message })
  }
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = env
  if ((id === undefined) !== (secret === undefined)) {
    const [name, other] =
      id === undefined
        ? ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
        : ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID']
    problems.push({
      name,
      message: `is not set, but ${other} is. Set both, or neither to use a profile or a role.`,
    })
  }
  return problems
}
