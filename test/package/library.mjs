// What a user's program in JavaScript does, as a module.
import {
  ConfigError,
  fetchImageBytes,
  ingest,
  parseAndNormalizeResponse,
  sendRequestWithRetry,
  uploadToS3,
} from 'plate-snapshot'

const sample = new URL(
  './node_modules/plate-snapshot/samples/gate-sedan-front.jpg',
  import.meta.url,
)
const { mime, sha256 } = await fetchImageBytes(sample.pathname)
if (mime !== 'image/jpeg' || sha256.length !== 64) throw new Error(`${mime} ${sha256}`)
for (const member of [ConfigError, ingest, sendRequestWithRetry, uploadToS3]) {
  if (typeof member !== 'function') throw new Error(`${typeof member} where a function should be`)
}
const { readings } = parseAndNormalizeResponse({ results: [{ plate: 'abc123', score: 0.9 }] })
console.log(readings[0].plate, readings[0].score)
