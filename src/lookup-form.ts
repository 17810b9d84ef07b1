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
    const file = `name="upload"; filename="${uploadNameOf(subject.source)}"`
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
