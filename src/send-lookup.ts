import type { Dispatcher } from 'undici'
import { sentTimeOf } from './capture-time.ts'
import type { ApiSettings } from './config.ts'
import { sendLookup } from './lookup.ts'
import type { LookupResponse } from './response.ts'
import type { WantedImage } from './wanted.ts'

/** Single attempts as a run sends them: an image, with what is wanted of it and when it was taken. */
export function createSend(
  api: ApiSettings,
  lookupTimeout: number,
  dispatcher: Dispatcher,
): (image: WantedImage, end: AbortSignal) => Promise<LookupResponse> {
  const access = { ...api, timeoutMs: lookupTimeout * 1_000, dispatcher }
  return async (image: WantedImage, end: AbortSignal) => {
    const { wanted, captured } = image
    const subject = { ...image, capturedAt: sentTimeOf(captured) }
    const response = await sendLookup(subject, wanted.question, access, end)
    return { ...response, noted: { ...response.noted, captured } }
  }
}
