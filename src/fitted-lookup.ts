import { availableParallelism } from 'node:os'
import { sentTimeOf } from './capture-time.ts'
import type { Decoder } from './decoding/decoder.ts'
import { ImageError, LookupFailure } from './errors.ts'
import { readExif } from './exif.ts'
import type { Answer, RunSignals } from './look-up-plates.ts'
import { formBytes } from './lookup-form.ts'
import type { LookupImage } from './lookup-image.ts'
import type { WantedImage } from './wanted.ts'

/** What the cloud takes: a request of fewer bytes (app.platerecognizer.com/upload-limit says "lower than 3 MB"). */
const CLOUD_MAX_BYTES = 3_000_000

/** What the API is known to take; other types are converted. */
const SENT_AS_THEY_ARE: ReadonlySet<string> = new Set(['image/jpeg', 'image/png'])

/** An image that was refused as too large is tried once more with so much of what was sent. */
const SMALLER = 0.6

/** The largest upload: what the flag says, else what the API is known to take. */
export function uploadLimit(
  flag: number | undefined,
  { isCloud }: { isCloud: boolean },
): number | undefined {
  return flag ?? (isCloud ? CLOUD_MAX_BYTES : undefined)
}

/** A decoder that is opened when there is work for it. */
export function lazyDecoder(): { decoder: () => Promise<Decoder>; close: () => Promise<void> } {
  let opened: Promise<Decoder> | undefined
  return {
    decoder() {
      opened ??= import('./decoding/decoder.ts').then(({ openDecoder }) =>
        openDecoder({ atOnce: availableParallelism() }),
      )
      return opened
    },
    async close() {
      await (await opened)?.close()
    },
  }
}

interface Fitting {
  decoder: () => Promise<Pick<Decoder, 'fit'>>
  /** Bytes of a whole request. */
  maxUploadBytes: number | undefined
}

/**
 * Lookups of images as the API takes them: upright, of a type that it knows, and no larger than it allows. Only what is
 * sent is changed; what cannot be decoded is sent as it is, for the API may be able to read it. What the API refuses as
 * too large all the same is made smaller once more. @throws what `lookUp` throws
 */
export function lookUpFitted(
  lookUp: (image: WantedImage, signals: RunSignals, before?: LookupFailure) => Promise<Answer>,
  { decoder, maxUploadBytes }: Fitting,
): (image: WantedImage, signals: RunSignals) => Promise<Answer> {
  async function fitted(image: WantedImage, maxBytes: number | undefined): Promise<Sent> {
    try {
      const { bytes, ...facts } = await (await decoder()).fit(image.bytes, maxBytes)
      const sent = { ...image, bytes: Buffer.from(bytes), mime: 'image/jpeg' }
      return { image: sent, lookupImage: { ...facts, bytes: bytes.length } }
    } catch (thrown) {
      if (thrown instanceof ImageError) return { image }
      throw thrown
    }
  }

  return async function lookUpPlates(image, signals) {
    const maxBytes = maxUploadBytes && Math.max(1, maxUploadBytes - 1 - formBytesOf(image))
    const sent = isFit(image, maxBytes) ? { image } : await fitted(image, maxBytes)
    try {
      return noted(await lookUp(sent.image, signals), sent)
    } catch (thrown) {
      const isRefused = thrown instanceof LookupFailure && thrown.code === 'api_too_large'
      if (!isRefused || signals.stop.aborted) throw thrown
      const smaller = await fitted(image, Math.floor(sent.image.bytes.length * SMALLER))
      if (smaller.lookupImage === undefined) throw thrown
      return noted(await lookUp(smaller.image, signals, thrown), smaller)
    }
  }
}

/** The time that is sent with the image counts too. */
function formBytesOf({ source, captured, wanted }: WantedImage): number {
  return formBytes({ source, capturedAt: sentTimeOf(captured) }, wanted.question)
}

interface Sent {
  image: WantedImage
  /** Undefined: the stored image itself. */
  lookupImage?: LookupImage
}

/** May an image be sent as it is? Its header is looked at, and nothing decoded. */
function isFit({ bytes, mime }: WantedImage, maxBytes: number | undefined): boolean {
  if (!SENT_AS_THEY_ARE.has(mime)) return false
  if (maxBytes !== undefined && bytes.length > maxBytes) return false
  return readExif(bytes, mime).orientation === 1
}

/** The answer with what was sent for it. */
function noted(answer: Answer, { lookupImage }: Sent): Answer {
  if (lookupImage === undefined) return answer
  const { response } = answer
  return { ...answer, response: { ...response, noted: { ...response.noted, lookupImage } } }
}
