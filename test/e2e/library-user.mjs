// A program that uses the package by its name, as its users do. Run by library.test.ts.
import {
  fetchImageBytes,
  IngestError,
  ingest,
  parseAndNormalizeResponse,
  sendRequestWithRetry,
  uploadToS3,
} from 'plate-snapshot'

const { PICTURE, SNAPSHOT_API_URL, PLATE_API_KEY, IMAGE_URL, ...env } = process.env

const image = await fetchImageBytes(PICTURE)
const { bytes, ...facts } = image
const uploaded = await uploadToS3(image, {
  bucket: env.S3_BUCKET,
  endpoint: env.AWS_ENDPOINT_URL,
  credentials: {
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
  },
})
const again = await uploadToS3(image, {
  bucket: env.S3_BUCKET,
  endpoint: env.AWS_ENDPOINT_URL,
  urlStyle: 'object',
})
const api = { apiUrl: SNAPSHOT_API_URL, apiKey: PLATE_API_KEY, mmc: true, regions: ['gb'] }
const answer = await sendRequestWithRetry(image, {
  ...api,
  capturedAt: new Date('2026-01-31T08:30:00Z'),
})
const byUrl = await sendRequestWithRetry({ imageUrl: IMAGE_URL }, api)
const snapshot = parseAndNormalizeResponse(answer.response)

const outcomes = []
const run = await ingest({
  images: [PICTURE, 'missing.jpg', PICTURE],
  delay: 0,
  concurrency: 1,
  onOutcome: ({ outcome }) => outcomes.push(outcome),
})
const wrong = await ingest({ images: 'missing.txt', delay: -1, env: {} }).catch((error) => ({
  isOurs: error instanceof IngestError,
  code: error.code,
  names: error.problems?.map(({ name }) => name),
}))
console.log(
  JSON.stringify({ facts, uploaded, again, answer, byUrl, snapshot, outcomes, run, wrong }),
)
