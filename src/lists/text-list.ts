import { addAbortSignal, Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { ImageRef, Told } from '../image-list.ts'
import { redactSource } from '../source.ts'
import { isoOf } from '../zoned-time.ts'

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

/** Its lines, trimmed, without blank ones and comments. */
export async function* readTexts(
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

/** A path or URL, alone or with what is known of it. */
export type ListedImage = string | (Told & { image: string })

/** The same for a list that is in memory or made on the way. Abort ends it early. */
export async function* imageRefs(
  texts: Iterable<ListedImage> | AsyncIterable<ListedImage>,
  signal?: AbortSignal,
): AsyncGenerator<ImageRef> {
  let line = 0
  try {
    // A stream can be broken off while the next line is waited for.
    for await (const given of Readable.from(texts, { signal })) {
      line += 1
      const { image, ...told }: Told & { image: string } =
        typeof given === 'object' ? given : { image: String(given) }
      const text = image.trim()
      if (text === '') continue
      const ref = { line, text, source: redactSource(text) }
      yield typeof given === 'object' ? { ...ref, told: withUtc(told) } : ref
    }
  } catch (thrown) {
    if (signal?.aborted !== true) throw thrown
  }
}

/** @throws {RangeError} for a time that is none */
function withUtc({ capturedAt, ...told }: Told): Told {
  return capturedAt === undefined ? told : { ...told, capturedAt: isoOf(Date.parse(capturedAt)) }
}
