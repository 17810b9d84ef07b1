import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl, S3RequestPresigner } from '@aws-sdk/s3-request-presigner'

/** What a server says of an object without sending it; no `size` and `sha256` where there is none. */
export interface Head {
  status: number
  /** Bytes. */
  size?: number | undefined
  /** As it was noted with the object. */
  sha256?: string | undefined
}

/** Long enough for one request, in seconds. */
const REQUEST_S = 300

/**
 * Signing for one bucket with the SDK's own signer and connections, past its stack of middleware: that costs three times
 * the processor of the signature itself, which an image would pay twice. How the bucket is addressed the SDK has said
 * once, in a link to a key that says where keys go.
 */
export async function quickRequests(client: S3Client, Bucket: string) {
  const sample = new URL(await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'key' })))
  const { protocol, hostname, port, pathname, origin } = sample
  // `<key id>/<date>/<region>/s3/aws4_request` (AWS Signature Version 4).
  const region = sample.searchParams.get('X-Amz-Credential')?.split('/').at(-3)
  const presigner = new S3RequestPresigner({ ...client.config, region: region ?? '' })
  const pathOf = (key: string) => pathname.slice(0, -'key'.length) + key
  const { requestHandler } = client.config

  function signed(method: string, key: string, expiresIn: number) {
    const address = { protocol, hostname, ...(port !== '' && { port: Number(port) }) }
    const request = { method, ...address, path: pathOf(key), headers: {}, query: {} }
    const signingDate = new Date(Date.now() + client.config.systemClockOffset)
    return presigner.presign(request, { expiresIn, signingDate })
  }

  return {
    /** A link that reads an object, good for so many seconds. */
    async linkTo(key: string, expiresS: number): Promise<string> {
      const { query = {} } = await signed('GET', key, expiresS)
      const pairs = Object.entries(query).map(([name, value]) => [name, String(value)])
      return `${origin}${pathOf(key)}?${new URLSearchParams(Object.fromEntries(pairs))}`
    },

    /** One try. Rejects when no answer came. */
    async head(key: string, abortSignal: AbortSignal): Promise<Head> {
      const request = await signed('HEAD', key, REQUEST_S)
      const { response } = await requestHandler.handle(request, { abortSignal })
      response.body?.resume?.()
      const { statusCode: status, headers } = response
      if (status !== 200) return { status }
      const size = Number(headers['content-length'])
      return { status, size, sha256: headers['x-amz-meta-sha256'] }
    },
  }
}
