import { on } from 'node:events'
import { IngestError, messageOf } from '../errors.ts'
import type { Job } from './decode.ts'

/**
 * Makes this process a decoder: one after another it does the jobs that its parent, this same program, sends, and sends
 * back what came of each; what is thrown goes back as words. It dies with its parent.
 */
export async function answerJobs(work: (job: Job) => Promise<unknown>): Promise<void> {
  // Not `process.exit`: it waits for Node's threads, and a picture may have made the native decoder hang in one.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  // Ctrl-C reaches every process of a terminal, and a service's end every one of it: the parent decides what is finished.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  for await (const [job] of on(process, 'message')) process.send?.(await answerTo(job, work))
}

async function answerTo(job: Job, work: (job: Job) => Promise<unknown>) {
  try {
    return { isDone: true, result: await work(job) }
  } catch (thrown) {
    const code = thrown instanceof IngestError ? thrown.code : 'undecodable'
    return { isDone: false, code, why: messageOf(thrown) }
  }
}
