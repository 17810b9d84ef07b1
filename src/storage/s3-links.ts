import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl, S3RequestPresigner } from '@aws-sdk/s3-request-presigner'

/** Links into one bucket. */
export interface Links {
  /** A link that reads an object, good for so many seconds. The key must be one that a link holds as it is. */
  to(key: string, expiresS: number): Promise<string>
}

/**
 * Links signed by the SDK's own signer, past its stack of middleware, which takes five times as long as the signature. How
 * the bucket is addressed the SDK has said once, in a link that shows where a key goes.
 */
export async function createLinks(client: S3Client, Bucket: string): Promise<Links> {
  const sample = new URL(await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'key' })))
  const { protocol, hostname, port, pathname, origin } = sample
  // `<key id>/<date>/<region>/s3/aws4_request` (AWS Signature Version 4).
  const region = sample.searchParams.get('X-Amz-Credential')?.split('/').at(-3)
  const presigner = new S3RequestPresigner({ ...client.config, region: region ?? '' })
  const address = { protocol, hostname, ...(port !== '' && { port: Number(port) }) }
  return {
    async to(key, expiresIn) {
      const path = pathname.slice(0, -'key'.length) + key
      const request = { method: 'GET', ...address, path, headers: {}, query: {} }
      const signingDate = new Date(Date.now() + client.config.systemClockOffset)
      const { query = {} } = await presigner.presign(request, { expiresIn, signingDate })
      const pairs = Object.entries(query).map(([name, value]) => [name, String(value)])
      return `${origin}${path}?${new URLSearchParams(Object.fromEntries(pairs))}`
    },
  }
}
