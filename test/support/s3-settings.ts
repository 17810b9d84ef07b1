import { inject } from 'vitest'
import type { S3Settings } from '../../src/config.ts'

/** What `S3_…` and `AWS_…` would say about a bucket of the test server. */
export function s3Settings(bucket: string, changes: Partial<S3Settings> = {}): S3Settings {
  const { endpoint, region, accessKeyId, secretAccessKey } = inject('s3')
  return {
    bucket,
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    urlStyle: undefined,
    urlExpiresS: 600,
    ...changes,
  }
}
