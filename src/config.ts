import { z } from 'zod'
import { CLOUD_URL, type DatabaseSettings, readApiUrl, readDatabaseUrl } from './addresses.ts'
import type { ConfigProblem } from './errors.ts'
import { INSECURE } from './insecure-api.ts'
import { stateFolder } from './spool.ts'
import { readStorage, storageProblems } from './storage-settings.ts'
import { tlsProblems } from './tls-settings.ts'

/** The API as the settings name it. */
export interface ApiSettings {
  /** Ends in `/v1/plate-reader/`. */
  url: string
  key: string | undefined
  /** The vendor's own host, as against a self-hosted SDK. */
  isCloud: boolean
  /** The key may go unencrypted to a host of the internet. */
  allowInsecure: boolean
}

export interface S3Settings {
  bucket: string
  region: string
  /** Undefined: AWS itself. */
  endpoint: string | undefined
  /** Undefined: the SDK's own provider chain. */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | undefined
  /** Undefined: presigned, or object when the credentials are temporary. */
  urlStyle: 'presigned' | 'object' | undefined
  urlExpiresS: number
}

export type StorageSettings = { kind: 'db' } | ({ kind: 's3' } & S3Settings)

/** All settings, checked. */
export interface Settings {
  api: ApiSettings
  database: DatabaseSettings
  storage: StorageSettings
  /** Where answers wait that could not be written while the database was away. */
  stateFolder: string
  /** The schema of the database that pg-boss has. */
  queueSchema: string
  /** Only for tests (die-at.ts). */
  dieAt: string | undefined
}

/** The environment variables of the README's table of settings. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Settings that may be had; without the API key or the bucket when a command has no use for them. */
export interface Needs {
  api: boolean
  storage: boolean
  /** The key may go unencrypted to a host of the internet. */
  allowInsecureApi?: boolean
}

const DEFAULT_FOLDER = 'plate-snapshot-data'
/** SigV4's maximum: 7 days. */
export const LONGEST_LINK_S = 604_800

const proxy = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) address, such as http://proxy:3128.' })
  .optional()

/** Every setting, its default as the README's table gives it, and how its text is read. */
export const SETTINGS = {
  PLATE_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'holds blanks or characters that no key has.')
    .optional(),
  SNAPSHOT_API_URL: z.string().default(CLOUD_URL).transform(readApiUrl),
  DATABASE_URL: z.string().default(`pglite:./${DEFAULT_FOLDER}`).transform(readDatabaseUrl),
  STORE_IMAGES: z.enum(['s3', 'db'], { error: 'must be s3 or db.' }).optional(),
  S3_BUCKET: z
    .string()
    .regex(
      /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,254}$/,
      'is not a bucket name (only the name, no s3:// and no path).',
    )
    .optional(),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  AWS_REGION: z.string().default('us-east-1'),
  AWS_ENDPOINT_URL: z
    .url({
      protocol: /^https?$/,
      error: 'must be an http(s) address, such as http://minio:9000.',
      abort: true,
    })
    .refine((url) => new URL(url).username === '' && new URL(url).password === '', {
      error: 'must not hold a user or password; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    })
    .optional(),
  S3_URL_STYLE: z
    .enum(['presigned', 'object'], { error: 'must be presigned or object.' })
    .optional(),
  S3_URL_EXPIRES: z.coerce
    .number({ error: 'must be a number of seconds.' })
    .int('must be whole seconds.')
    .min(1, 'must be at least 1 second.')
    .max(LONGEST_LINK_S, `must be at most ${LONGEST_LINK_S} seconds (7 days).`)
    .default(LONGEST_LINK_S),
  HTTP_PROXY: proxy,
  HTTPS_PROXY: proxy,
  NO_PROXY: z.string().optional(),
  XDG_STATE_HOME: z.string().default('~/.local/state'),
  PGBOSS_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,49}$/, 'must be a name of small letters, digits and _.')
    .default('pgboss'),
}

const schema = z.object(SETTINGS)
/** The environment as read. */
export type Env = z.infer<typeof schema>

/**
 * Reads the settings from the environment. Empty means unset.
 * @returns the settings, or every problem with them and what storage is meant all the same
 */
export function readSettings(
  env: Environment,
  needs: Needs,
): { settings: Settings } | { problems: ConfigProblem[]; storage: StorageSettings } {
  const filled = Object.fromEntries(
    Object.keys(SETTINGS).flatMap((name) => (env[name]?.trim() ? [[name, env[name].trim()]] : [])),
  )
  const parsed = schema.safeParse(filled)
  const problems: ConfigProblem[] = (parsed.error?.issues ?? []).map(({ path, message }) => ({
    name: path.join('.'),
    message,
  }))
  // Cross-checks run on what could be read, so that one wrong setting hides no other.
  const wrong = new Set(problems.map(({ name }) => name))
  const fitting = Object.fromEntries(Object.entries(filled).filter(([name]) => !wrong.has(name)))
  const read = schema.parse(fitting)
  problems.push(...tlsProblems(env))
  if (needs.api) problems.push(...apiProblems(read, wrong, needs.allowInsecureApi))
  const storage = readStorage(read, wrong)
  if (needs.storage && storage.kind === 's3') problems.push(...storageProblems(read, wrong))
  if (problems.length > 0) return { problems, storage }
  return {
    settings: {
      api: {
        ...read.SNAPSHOT_API_URL,
        key: read.PLATE_API_KEY,
        allowInsecure: needs.allowInsecureApi ?? false,
      },
      database: read.DATABASE_URL,
      storage,
      stateFolder: stateFolder(read.XDG_STATE_HOME),
      queueSchema: read.PGBOSS_SCHEMA,
      dieAt: env['PLATE_SNAPSHOT_DIE_AT'],
    },
  }
}

function apiProblems(
  { PLATE_API_KEY, SNAPSHOT_API_URL }: Env,
  wrong: Set<string>,
  allowInsecureApi = false,
): ConfigProblem[] {
  if (wrong.has('PLATE_API_KEY') || wrong.has('SNAPSHOT_API_URL')) return []
  if (PLATE_API_KEY !== undefined) {
    const isInClear = SNAPSHOT_API_URL.isCloud && SNAPSHOT_API_URL.url.startsWith('http:')
    return isInClear && !allowInsecureApi ? [INSECURE] : []
  }
  if (!SNAPSHOT_API_URL.isCloud) return []
  const message =
    'is not set. Take the API token from app.platerecognizer.com and set it in the environment or in .env; to try the tool without an account, run: npx plate-snapshot demo'
  return [{ name: 'PLATE_API_KEY', message }]
}
