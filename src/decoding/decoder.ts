import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { z } from 'zod'
import { ImageError, messageOf } from '../errors.ts'
import { lookupImage } from '../lookup-image.ts'
import type { BoundingBox } from '../normalize.ts'
import type { AnswerFrame } from '../stored-values.ts'
import type { Crop } from './crop-image.ts'
import type { Job } from './decode.ts'
import type { FittedImage } from './fit-for-lookup.ts'
import type { Place, Shown } from './thumbnails.ts'

/** Where pictures are decoded: in processes of their own, so that one that breaks the native decoder costs only itself. */
export interface Decoder {
  /** The box, cut out of the picture. @throws {ImageError} `no_box`, `undecodable` */
  crop(bytes: Uint8Array, box: BoundingBox, answerFrame: AnswerFrame | undefined): Promise<Crop>
  /** The picture made small, and the plate of each place cut out. @throws {ImageError} `undecodable` */
  show(bytes: Uint8Array, places: readonly Place[]): Promise<Shown[]>
  /**
   * The picture as it is sent to the API: upright, a JPEG of at most so many bytes. @throws {ImageError} `undecodable`
   */
  fit(bytes: Uint8Array, maxBytes: number | undefined): Promise<FittedImage>
  /** Ends every process, also those at work. */
  close(): Promise<void>
}

/** How pictures are decoded; `program` is what a process runs. */
export interface DecoderOptions {
  /** Pictures at once, each in a process of its own; never more than there are processors. */
  atOnce?: number
  /** For one picture, in milliseconds, the start of the process included. */
  timeLimitMs?: number
  program?: URL
}

const TIME_LIMIT_MS = 30_000
/** For JavaScript's own objects, in MB; the pixels of a picture are not among them. */
const HEAP_MB = 256
/** Compiled the file has another ending. */
const PROGRAM = new URL(
  import.meta.url.endsWith('.ts') ? './decoder-process.ts' : './decoder-process.js',
  import.meta.url,
)

const size = z.object({ width: z.number(), height: z.number() })
const small = z.object({ ...size.shape, address: z.string().startsWith('data:image/webp;base64,') })
const box = z.object({ xmin: z.number(), ymin: z.number(), xmax: z.number(), ymax: z.number() })
const shown: z.ZodType<Shown[]> = z.array(
  z.object({ picture: small, frame: size, box: box.optional(), plate: small.optional() }),
)
const crop: z.ZodType<Crop> = z.object({
  ...size.shape,
  bytes: z.instanceof(Uint8Array),
  mime: z.enum(['image/jpeg', 'image/png']),
})
const fitted: z.ZodType<FittedImage> = lookupImage.extend({ bytes: z.instanceof(Uint8Array) })
const failed = z.object({
  isDone: z.literal(false),
  code: z.enum(['no_box', 'undecodable']).catch('undecodable'),
  why: z.string(),
})

/** A decoder whose processes start when there is work for them; it has to be closed. */
export function openDecoder({
  atOnce = 1,
  timeLimitMs = TIME_LIMIT_MS,
  program = PROGRAM,
}: DecoderOptions = {}): Decoder {
  const limit = pLimit(Math.min(atOnce, availableParallelism()))
  const running = new Set<ChildProcess>()
  const idle: ChildProcess[] = []
  let isClosed = false

  async function answerTo(job: Job): Promise<unknown> {
    const used = idle.pop()
    if (used !== undefined) {
      try {
        return await answerOf(used, job)
      } catch (thrown) {
        // It may have died at rest, or of what an earlier picture did to it: this one is not to pay for that.
        if (thrown instanceof TimeLimitError) throw thrown
      }
    }
    return answerOf(start(), job)
  }

  async function answerOf(child: ChildProcess, job: Job): Promise<unknown> {
    const given = await ask(child, job, timeLimitMs)
    idle.push(child)
    return given
  }

  function start(): ChildProcess {
    if (isClosed) throw new Error('the decoder was closed')
    const child = startProcess(program)
    if (child.pid !== undefined) running.add(child)
    child.once('exit', () => running.delete(child))
    return child
  }

  async function resultOf<T>(job: Job, result: z.ZodType<T>): Promise<T> {
    const given = await limit(answerTo, job).catch((cause) => {
      throw undecodable(messageOf(cause), cause)
    })
    // Whoever took the process over by a picture may send anything.
    const done = z.object({ isDone: z.literal(true), result })
    const { data } = z.discriminatedUnion('isDone', [done, failed]).safeParse(given)
    if (data === undefined) throw undecodable('what the decoder made of it is no picture')
    if (data.isDone) return data.result
    throw data.code === 'no_box' ? new ImageError('no_box', data.why) : undecodable(data.why)
  }

  return {
    crop: (bytes, box, answerFrame) => resultOf({ kind: 'crop', bytes, box, answerFrame }, crop),
    show: (bytes, given) => {
      const places = given.map(({ box, answerFrame }) => ({ box, answerFrame }))
      return resultOf({ kind: 'show', bytes, places }, shown)
    },
    fit: (bytes, maxBytes) => resultOf({ kind: 'fit', bytes, maxBytes }, fitted),
    async close() {
      isClosed = true
      const gone = [...running].map(
        (child) => new Promise((resolve) => child.once('exit', resolve)),
      )
      for (const child of running) child.kill('SIGKILL')
      await Promise.all(gone)
    },
  }
}

function startProcess(program: URL): ChildProcess {
  // What reads hostile bytes holds no keys: nothing of the environment. And what a crash prints helps nobody.
  const child = fork(program, {
    env: {},
    execArgv: [`--max-old-space-size=${HEAP_MB}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  // Who waits for an answer is told; an error without any listener would end this process.
  child.on('error', () => {})
  return child
}

class TimeLimitError extends Error {}

/**
 * Sends a job and waits for what comes of it.
 * @throws {TimeLimitError} when it takes too long, and {Error} when the process ends instead; it is over in both cases
 */
async function ask(child: ChildProcess, job: Job, timeLimitMs: number): Promise<unknown> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    child.send(job)
    return await Promise.race([
      once(child, 'message', { signal }).then(([given]) => given),
      once(child, 'exit', { signal }).then(([code, killedBy]) => {
        throw new Error(`the decoder crashed (${killedBy ?? `exit code ${code}`})`)
      }),
      sleep(timeLimitMs, undefined, { signal }).then(() => {
        throw new TimeLimitError(`not done within ${timeLimitMs / 1_000} s`)
      }),
    ])
  } catch (thrown) {
    child.kill('SIGKILL')
    throw thrown
  } finally {
    settled.abort()
  }
}

function undecodable(why: string, cause?: unknown): ImageError {
  return new ImageError('undecodable', `The picture cannot be decoded: ${why}.`, { cause })
}
