import { expect, test } from 'vitest'
import { type CaptureTime, sentTimeOf } from '../../src/capture-time.ts'
import type { Decoder } from '../../src/decoding/decoder.ts'
import { LookupFailure } from '../../src/errors.ts'
import { lookUpFitted } from '../../src/fitted-lookup.ts'
import { encodeForm } from '../../src/lookup-form.ts'
import type { WantedImage } from '../../src/wanted.ts'
import { ANSWER, REJECTED } from './scripted-lookups.ts'

const LIMIT = 10_000
const SIGNALS = { stop: new AbortController().signal, end: new AbortController().signal }
const QUESTION = { regions: ['fr'], mmc: true, cameraId: 'Süd' }
const CAPTURED: CaptureTime = { at: '2026-01-31T08:30:00.000Z', from: 'exif' }

/** Makes pictures of all the bytes that they may have. */
const greedy: Pick<Decoder, 'fit'> = {
  fit: async (_bytes, maxBytes = 0) => ({
    bytes: new Uint8Array(maxBytes),
    ...{ width: 40, height: 30, quality: 80, original: { width: 400, height: 300 } },
  }),
}

function imageOf(source: string, mime: string, captured?: CaptureTime): WantedImage {
  const bytes = Buffer.alloc(LIMIT)
  const fetched = { source, mime, bytes, extension: 'jpg', size: LIMIT, sha256: '0'.repeat(64) }
  return { ...fetched, captured, wanted: { question: QUESTION, threshold: 0.8 } }
}

test.each<[image: string, WantedImage]>([
  ['a JPEG', imageOf('/cams/a.jpg', 'image/jpeg')],
  ['a JPEG with its time', imageOf('/cams/a.jpg', 'image/jpeg', CAPTURED)],
  ['a PNG', imageOf('/cams/a.png', 'image/png')],
  ['a WebP', imageOf('/cams/a.webp', 'image/webp')],
  ['a BMP with its time', imageOf('/cams/a.bmp', 'image/bmp', CAPTURED)],
])(
  'the request of %s may have all the bytes below the limit, and no more',
  async (_image, image) => {
    const lengths: number[] = []
    const lookUpPlates = lookUpFitted(
      async ({ captured, ...sent }) => {
        const subject = { ...sent, capturedAt: sentTimeOf(captured) }
        const { parts } = encodeForm(subject, sent.wanted.question)
        lengths.push(parts.reduce((sum, { length }) => sum + length, 0))
        return { response: ANSWER, attempts: 1, uncertain: 0 }
      },
      { decoder: async () => greedy, maxUploadBytes: LIMIT },
    )

    await lookUpPlates(image, SIGNALS)

    expect(lengths).toEqual([LIMIT - 1])
  },
)

test('what is sent once more, smaller, goes on with the requests of the first', async () => {
  const tooLarge = new LookupFailure(
    { ...REJECTED, message: 'The API answered 413.', code: 'api_too_large' },
    { attempts: 2, uncertain: 1 },
  )
  const goesOnWith: (LookupFailure | undefined)[] = []
  const lookUpPlates = lookUpFitted(
    async (_image, _signals, before) => {
      goesOnWith.push(before)
      if (before === undefined) throw tooLarge
      return { response: ANSWER, attempts: 3, uncertain: 1 }
    },
    { decoder: async () => greedy, maxUploadBytes: undefined },
  )

  const answer = await lookUpPlates(imageOf('/cams/a.jpg', 'image/jpeg'), SIGNALS)

  expect(goesOnWith).toEqual([undefined, tooLarge])
  expect(answer).toMatchObject({
    attempts: 3,
    uncertain: 1,
    response: { noted: { lookupImage: { bytes: LIMIT * 0.6 } } },
  })
})
