// What a user's program in TypeScript does; it is only checked.
import {
  type ErrorCode,
  type FetchedImage,
  fetchImageBytes,
  IngestError,
  type IngestResult,
  ingest,
  parseAndNormalizeResponse,
  type Snapshot,
  sendRequestWithRetry,
  type UploadedImage,
  uploadToS3,
} from 'plate-snapshot'

export async function all(): Promise<ErrorCode | undefined> {
  try {
    const image: FetchedImage = await fetchImageBytes('car.jpg', { timeoutMs: 5_000 })
    const uploaded: UploadedImage = await uploadToS3(image, { bucket: 'plates' })
    const { response, attempts } = await sendRequestWithRetry(image, {
      apiKey: 'key',
      regions: ['fr'],
    })
    const snapshot: Snapshot = parseAndNormalizeResponse(response)
    const plates: (string | undefined)[] = snapshot.readings.map(({ plate }) => plate)
    const result: IngestResult = await ingest({
      images: [uploaded.url, { image: 'van.jpg', cameraId: 'gate', meta: { lane: attempts } }],
      confidenceThreshold: 0.8,
      onOutcome: ({ outcome }, tally) => console.log(outcome, tally.stored, plates),
    })
    console.log(result.tally.images)
  } catch (thrown) {
    if (thrown instanceof IngestError) return thrown.code
    throw thrown
  }
  return undefined
}
