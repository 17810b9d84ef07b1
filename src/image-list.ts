import { createReadStream } from 'node:fs'
import { access, constants, open, stat } from 'node:fs/promises'
import { addAbortSignal, Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { ConfigError, messageOf, systemCodeOf } from './errors.ts'
import { redactSource } from './source.ts'

/** One line of the images file: what to fetch, and how to speak of it. */
export interface ImageRef {
  /** Line number in the images file, from 1. */
  line: number
  /** The line as written, trimmed: a path or a URL, secrets included. For fetching and `--failed` only. */
  text: string
  /** The same without credentials and signatures: for messages, the ledger and rows. */
  source: string
  /** The folder in which it was found, an absolute path; undefined for what a list names. */
  base?: string | undefined
}

/**
 * The images that a list names, streamed: ten million lines cost no more memory than ten.
 * Blank lines and lines starting with `#` are skipped; a byte order mark and CRLF are accepted. Abort ends it early.
 */
export async function* readImageList(
  input: Readable,
  signal?: AbortSignal,
): AsyncGenerator<ImageRef> {
  for await (const { line, text } of readTexts(input, signal)) {
    yield { line, text, source: redactSource(text) }
  }
}

async function* readTexts(
  input: Readable,
  signal?: AbortSignal,
): AsyncGenerator<Pick<ImageRef, 'line' | 'text'>> {
  let line = 0
  for await (const raws of readLines(input, signal)) {
    for (const raw of raws) {
      line += 1
      const text = (line === 1 ? raw.replace(/^\uFEFF/, '') : raw).trim()
      if (text !== '' && !text.startsWith('#')) yield { line, text }
    }
  }
}

/** Some lines at a time. They end with LF, CRLF or CR (for Node's readline at U+2028 too, which a file's name may hold). */
async function* readLines(input: Readable, signal?: AbortSignal): AsyncGenerator<string[]> {
  const decoder = new StringDecoder('utf8')
  let begun = ''
  let isAfterCr = false
  try {
    for await (const chunk of signal === undefined ? input : addAbortSignal(signal, input)) {
      const text = decoder.write(chunk)
      if (text === '') continue
      const [first = '', ...others] = text.slice(isAfterCr && text[0] === '\n' ? 1 : 0).split(ENDS)
      isAfterCr = text.endsWith('\r')
      const lines = [begun + first, ...others]
      begun = lines.pop() ?? ''
      yield lines
    }
  } catch (thrown) {
    if (signal?.aborted !== true) throw thrown
    return
  }
  const last = begun + decoder.end()
  if (last !== '') yield [last]
}

const ENDS = /\r\n?|\n/

/** The same for a list that is in memory or made on the way. Abort ends it early. */
export async function* imageRefs(
  texts: Iterable<string> | AsyncIterable<string>,
  signal?: AbortSignal,
): AsyncGenerator<ImageRef> {
  let line = 0
  try {
    // A stream can be broken off while the next line is waited for.
    for await (const raw of Readable.from(texts, { signal })) {
      line += 1
      const text = String(raw).trim()
      if (text !== '') yield { line, text, source: redactSource(text) }
    }
  } catch (thrown) {
    if (signal?.aborted !== true) throw thrown
  }
}

const WANTED = 'name a file with one path or URL a line'

/** A list that can be read, and how many images it names where that can be known (a regular file). */
export interface OpenedList {
  images: (signal: AbortSignal) => AsyncGenerator<ImageRef>
  count: number | undefined
}

/**
 * Opens the list given by `--images`: a file, or `-` for standard input.
 * A regular file is counted first, so that progress, time left and warnings about credits can be given.
 * @throws {ConfigError} when it cannot be read
 */
export async function openImageList(path: string, standardInput: Readable): Promise<OpenedList> {
  if (path === '-') {
    return { images: (signal) => readImageList(standardInput, signal), count: undefined }
  }
  const images = (signal: AbortSignal) => readImageList(createReadStream(path), signal)
  try {
    await access(path, constants.R_OK)
    const info = await stat(path)
    if (info.isDirectory()) throw unreadable(path, `is a folder; ${WANTED}`)
    // A pipe is opened once, to be read: its writer would be cut off by a look inside.
    if (!info.isFile()) return { images, count: undefined }
    if (!(await looksLikeText(path))) throw unreadable(path, `holds no text; ${WANTED}`)
    return { images, count: await countImages(path) }
  } catch (thrown) {
    if (thrown instanceof ConfigError) throw thrown
    const isMissing = systemCodeOf(thrown) === 'ENOENT'
    throw unreadable(path, isMissing ? 'does not exist' : `cannot be read: ${messageOf(thrown)}`)
  }
}

/** A picture given as the list would be taken for hundreds of lines of nonsense. */
async function looksLikeText(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(512), 0, 512, 0)
    return !buffer.subarray(0, bytesRead).includes(0)
  } finally {
    await file.close()
  }
}

async function countImages(path: string): Promise<number> {
  let count = 0
  for await (const _ of readTexts(createReadStream(path))) count += 1
  return count
}

function unreadable(path: string, why: string): ConfigError {
  return new ConfigError([{ name: '--images', message: `${path} ${why}.` }])
}
