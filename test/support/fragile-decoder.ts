import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { answerJobs } from '../../src/decoding/answer-jobs.ts'
import { decode } from '../../src/decoding/decode.ts'

/** Bytes that do to a fragile decoder what some picture may do to the real one; `who` has it tell what it is. */
export const TROUBLE = {
  crash: Buffer.from('crash'),
  hang: Buffer.from('hang'),
  nonsense: Buffer.from('nonsense'),
  who: Buffer.from('who'),
}

/** The program of a decoder that decodes, but for the bytes above. */
export const FRAGILE = new URL(import.meta.url)

// Only what `fork` started has a job to wait for; a test takes the constants.
if (process.argv[1] === FRAGILE.pathname) {
  await answerJobs(async (job) => {
    const is = (bytes: Buffer) => bytes.equals(job.bytes)
    if (is(TROUBLE.crash)) process.abort()
    // In a thread of Node's, as sharp works: an orderly end of the process would wait for it, for half an hour.
    if (is(TROUBLE.hang)) await promisify(pbkdf2)('', '', 2 ** 31 - 1, 64, 'sha512')
    if (is(TROUBLE.nonsense)) return [{ picture: { address: 'javascript:0', width: 1, height: 1 } }]
    if (is(TROUBLE.who)) {
      const { pid, env } = process
      const bytes = Buffer.from(JSON.stringify({ pid, env }))
      return { bytes, mime: 'image/png', width: 1, height: 1 }
    }
    return decode(job)
  })
}
