import { randomUUID } from 'node:crypto'
import type { LookupSubject, Question } from './lookup.ts'
import { uploadNameOf } from './source.ts'

/**
 * The multipart body, put together by hand, which is faster than FormData; in parts, so that the image is in memory
 * once.
 */
export function encodeForm(
  subject: LookupSubject,
  question: Question,
): { parts: Uint8Array[]; contentType: string } {
  const boundary = `plate-snapshot-${randomUUID()}`
  const parts: Uint8Array[] = []
  const field = (name: string, value: string) => {
    parts.push(
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      ),
    )
  }
  for (const region of question.regions) field('regions', region)
  if (question.cameraId !== undefined) field('camera_id', question.cameraId)
  if (question.mmc) field('mmc', 'true')
  if (question.engineConfig !== undefined) field('config', JSON.stringify(question.engineConfig))
  if (subject.capturedAt !== undefined) field('timestamp', subject.capturedAt)
  if ('imageUrl' in subject) {
    field('upload_url', subject.imageUrl)
  } else {
    const file = `name="upload"; filename="${fileNameOf(subject)}"`
    parts.push(
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; ${file}\r\nContent-Type: ${subject.mime}\r\n\r\n`,
      ),
      subject.bytes,
      Buffer.from('\r\n'),
    )
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`))
  return { parts, contentType: `multipart/form-data; boundary=${boundary}` }
}

/**
 * How many bytes a request has beside its image, when that is sent as a JPEG: whatever else is sent as it is takes no
 * more.
 */
export function formBytes(
  { source, capturedAt }: Pick<LookupSubject, 'source' | 'capturedAt'>,
  question: Question,
): number {
  const image = { source, capturedAt, mime: 'image/jpeg', bytes: new Uint8Array() }
  const { parts } = encodeForm(image, question)
  return parts.reduce((sum, { length }) => sum + length, 0)
}

/** What was made a JPEG of is not to be called a picture of another type. */
function fileNameOf({ source, mime }: { source: string; mime: string }): string {
  const name = uploadNameOf(source)
  const isOther = /\.(png|webp|gif|bmp|tiff?|hei[cf]|avif)$/i.test(name)
  return mime === 'image/jpeg' && isOther ? `${name}.jpg` : name
}
