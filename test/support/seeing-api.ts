import sharp from 'sharp'
import { parseLookupForm } from '../../src/sandbox/lookup-form.ts'
import { readBody } from '../../src/sandbox/request-body.ts'
import { type HttpServer, startHttpServer } from './http-server.ts'
import { redIn } from './photos.ts'

/** What was sent in one lookup. */
export interface SentImage {
  status: number
  /** Of the whole request. */
  bodyBytes: number
  filename: string | undefined
  fields: Readonly<Record<string, readonly string[]>>
  format: string | undefined
  width: number | undefined
  height: number | undefined
}

/** An API that takes 3 MB, as the cloud does, and sees whatever is red as a plate: boxes are pixels of what was sent. */
export async function startSeeingApi(
  limitBytes = 3_000_000,
): Promise<HttpServer & { sent: SentImage[] }> {
  const sent: SentImage[] = []
  const server = await startHttpServer(async (request, response) => {
    const body = await readBody(request)
    if (request.method !== 'POST') {
      response.writeHead(404).end()
      return
    }
    const form = parseLookupForm(body ?? Buffer.alloc(0), request.headers['content-type'] ?? '')
    const image = form.image ?? new Uint8Array()
    const seen = await sharp(image)
      .metadata()
      .catch(() => undefined)
    const isTooLarge = (body?.length ?? 0) >= limitBytes
    const { format, width, height } = seen ?? {}
    const { fields, filename } = form
    const status = isTooLarge ? 413 : 201
    sent.push({
      ...{ status, bodyBytes: body?.length ?? 0, filename, fields },
      format,
      width,
      height,
    })
    // Sample 44 is the other spelling of it.
    const refusal = { error: 'Invalid file. See https://app.platerecognizer.com/upload-limit/' }
    // It looks at pixels as they are stored, whatever EXIF says.
    const box = seen && (await redIn(await sharp(image).keepMetadata().png().toBuffer()))
    const vehicle = { type: 'Sedan', score: 0.9, box }
    const results = box ? [{ plate: 'red1', score: 0.9, dscore: 0.9, box, vehicle }] : []
    const answer = {
      results,
      filename,
      image_width: width,
      image_height: height,
      timestamp: fields['timestamp']?.[0] ?? '2026-01-31T08:30:00Z',
    }
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isTooLarge ? refusal : answer))
  })
  return { ...server, sent, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
